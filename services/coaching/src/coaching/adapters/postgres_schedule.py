"""Check-ins that are due: a batch of persons is locked, read, and written in one transaction."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import RowMapping

from coaching.adapters import outbound
from coaching.adapters import schedule_statements as sql
from coaching.adapters.postgres import Tables, Transaction
from coaching.adapters.postgres_speaking import persons, prepared
from coaching.app.ports import Spoken, Talked
from coaching.domain.check_ins import Activity, CatchUp, CheckIn, Nudge
from coaching.domain.deliveries import Drop, Hold, Send
from coaching.domain.dispatching import Case, DueCheckIn, HeldNudge, Judged, Plan
from coaching.domain.ids import PersonId
from coaching.domain.last_said import Said
from coaching.domain.quiet_hours import QuietHours
from kit import faultpoints

COLUMNS = (
    "ids", "person_ids", "check_in_ids", "triggers", "catch_ups", "due_ats", "news", "states", "reasons", "look_ats",
    "merged_intos", "whys", "tolds", "verdicts", "facts", "message_ids", "delivery_ids", "conversation_ids", "channels",
    "accounts", "addresses", "texts", "sources", "payloads",
)  # fmt: skip
MOVED = ("moved_ids", "moved_from", "moved_to")
NOT_SENT = (None,) * 9


@dataclass(frozen=True, slots=True)
class ScheduleTimes:
    """How long before its due time a check-in's words are prepared, and after how long its delivery is looked after."""

    prepare_ahead_seconds: float
    patience_seconds: float


class PostgresSchedule:
    """Schedule on PostgreSQL."""

    def __init__(self, tables: Tables, times: ScheduleTimes, default_quiet: QuietHours) -> None:
        self._tables = tables
        self._times = times
        self._default_quiet = default_quiet

    async def organizations_due(self, at: datetime, world_seconds: float) -> tuple[datetime, list[str]]:
        """Return the database's time, and the organisations in which something is due at `at` and by that time."""
        async with self._tables.across() as transaction:
            [row] = await transaction.rows(sql.ORGANIZATIONS_DUE, at=at, world=world_seconds)
        return row["database_now"], row["ids"]

    @asynccontextmanager
    async def due(
        self, organization_id: str, at: datetime, world_seconds: float, most: int
    ) -> AsyncIterator["DueRows | None"]:
        """Lock up to `most` persons for whom something is due until the block ends, which commits; None: nobody."""
        async with self._tables.of(organization_id) as transaction:
            locked = await transaction.rows(sql.LOCK, at=at, world=world_seconds, most=most)
            if not locked:
                yield None
                return
            ids = [row["id"] for row in locked]
            held = [row["id"] for row in locked if row["held"]]
            yield await self._rows(transaction, organization_id, ids, held, locked[0]["at"])
            faultpoints.reached("before_dispatch_commit")
        faultpoints.reached("after_dispatch_commit")

    async def put_off(self, organization_id: str, person_ids: Sequence[str], at: datetime, until: datetime) -> None:
        """Look again at `until` after what was due for these persons at `at`."""
        async with self._tables.of(organization_id) as transaction:
            await transaction.run(sql.PUT_OFF, ids=list(person_ids), at=at, until=until)

    async def _rows(
        self, transaction: Transaction, organization_id: str, ids: list[str], held: list[str], at: datetime
    ) -> "DueRows":
        due: dict[str, list[RowMapping]] = defaultdict(list)
        for row in await transaction.rows(sql.DUE, ids=ids, at=at):
            due[row["person_id"]].append(row)
        waiting: dict[str, list[RowMapping]] = defaultdict(list)
        for row in await transaction.rows(sql.HELD, ids=held, at=at) if held else ():
            waiting[row["person_id"]].append(row)
        known = await persons(transaction, ids, at, self._default_quiet, planned=True)
        cases = [
            replace(
                case,
                due=tuple(_due(row, case) for row in due[person_id]),
                held=tuple(_held(row, case) for row in waiting[person_id]),
            )
            for person_id, (case, _) in known.persons.items()
        ]
        return DueRows(transaction, organization_id, known.database_now, cases, self._times)


class DueRows:
    """DuePersons on PostgreSQL."""

    def __init__(
        self, transaction: Transaction, organization_id: str, database_now: datetime, cases: list[Case],
        times: ScheduleTimes,
    ) -> None:  # fmt: skip
        self._transaction = transaction
        self._organization_id = organization_id
        self._times = times
        self.database_now = database_now
        self.cases = cases

    async def talked(self, person_ids: Sequence[str]) -> dict[str, Talked]:
        """Return what was said lately by and to each of these persons."""
        found = {person_id: Talked() for person_id in person_ids}
        for row in await self._transaction.rows(sql.SAID, ids=list(person_ids)):
            person_id = row["id"]
            known = found[person_id]
            if row["role"] == "person":
                known = replace(known, said=(*known.said, Said(row["text"], row["created_at"])))
            else:
                known = replace(known, spoken=(*known.spoken, row["text"]))
            found[person_id] = known
        return found

    async def write(
        self, plans: Sequence[Plan], spoken: Sequence[Spoken], now: datetime, not_after: datetime
    ) -> set[str]:
        """Write all of it in one statement; return the ids of the nudges that were written."""
        words = {item.nudge_id: item for item in spoken}
        stamps = outbound.stamp(now), outbound.stamp(not_after)
        rows = [
            _nudge(item) + _sent(plan, words.get(item.nudge.nudge_id), self._organization_id, stamps)
            for plan in plans
            for item in plan.judged
        ]
        moves = [(move.check_in_id, move.was, move.next_due_at) for plan in plans for move in plan.moves]
        found = await self._transaction.rows(
            sql.WRITE, now=now, not_after=not_after, ahead=float(self._times.prepare_ahead_seconds),
            patience=float(self._times.patience_seconds), **_columns(COLUMNS, rows), **_columns(MOVED, moves),
        )  # fmt: skip
        return {row["id"] for row in found}


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Sequence[Any]]:
    """Return rows as one array for each column, which costs the database less to read than JSON."""
    return dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())


def _due(row: RowMapping, case: Case) -> DueCheckIn:
    return DueCheckIn(_check_in(row, row["id"], case), _activity(row, case), prepared(row))


def _activity(row: RowMapping, case: Case) -> Activity:
    return Activity(case.history.last_inbound_at, row["nudged"])


def _check_in(row: RowMapping, check_in_id: str, case: Case) -> CheckIn:
    return CheckIn(
        check_in_id=check_in_id, person_id=case.person_id, trigger=row["trigger"], rule=row["rule"],
        local_time=row["local_time"], time_zone=row["time_zone"], starts_on=row["starts_on"],
        catch_up=CatchUp(row["catch_up"]), after_days=row["after_days"], next_due_at=row["next_due_at"],
        created_at=row["created_at"],
    )  # fmt: skip


def _held(row: RowMapping, case: Case) -> HeldNudge:
    nudge = Nudge(
        row["id"], row["check_in_id"], PersonId(row["person_id"]), row["trigger"],
        CatchUp(row["catch_up"]), row["due_at"],
    )  # fmt: skip
    refused = "check_in_removed" if row["removed"] else "check_in_paused" if row["paused"] else ""
    check_in = None if row["removed"] else _check_in(row, row["check_in_id"], case)
    return HeldNudge(
        nudge, row["reason"], row["look_at"], prepared(row), refused, check_in, _activity(row, case)
    )  # fmt: skip


def _nudge(item: Judged) -> tuple[Any, ...]:
    nudge = item.nudge
    verdict, reason, until = _verdict(item)
    return (
        nudge.nudge_id, nudge.person_id, nudge.check_in_id, nudge.trigger, nudge.catch_up.value, nudge.due_at, item.new,
        item.state.value, reason, until, item.merged_into, json.dumps(item.why), item.told, verdict,
        json.dumps(item.facts),
    )  # fmt: skip


def _sent(
    plan: Plan, words: Spoken | None, organization_id: str, stamps: tuple[Timestamp, Timestamp]
) -> tuple[Any, ...]:
    """Return the rest of the columns, which are empty where the nudge is not dispatched."""
    place = plan.case.place
    if words is None or place is None:
        return NOT_SENT
    return (
        words.message_id, words.delivery_id, place.conversation_id, place.channel, place.account, place.address,
        words.text, words.source, outbound.nudge(organization_id, place, words, *stamps),
    )  # fmt: skip


def _verdict(item: Judged) -> tuple[str, str, datetime | None]:
    match item.decision:
        case Send():
            return "send", "", None
        case Hold(until, reason):
            return "hold", reason, until
        case Drop(reason):
            return "drop", reason, None
