"""Check-ins in the database: a person's are read and changed in one transaction, which locks the person."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, time
from typing import Any

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables, Transaction
from coaching.adapters.postgres_speaking import persons
from coaching.app.check_ins.ports import Held, PersonRef, Times, UnknownError
from coaching.domain.check_ins import Activity, CatchUp, CheckIn, Nudge
from coaching.domain.dispatching import Case
from coaching.domain.ids import PersonId
from coaching.domain.quiet_hours import QuietHours

_PERSON = """
    SELECT p.id, p.time_zone, p.quiet_start, p.quiet_end, p.proactive_stopped_at IS NOT NULL AS stopped
    FROM coaching.people p
    WHERE p.organization_id = CAST(:organization_id AS uuid) AND p.id = coalesce(
        CAST(:person_id AS uuid),
        (SELECT i.person_id FROM coaching.identities i WHERE i.organization_id = CAST(:organization_id AS uuid)
            AND i.channel = :channel AND i.account = :account AND i.sender_id = :sender_id))
"""
_READ_PERSON = text(_PERSON)
# Whoever decides about a person's nudges holds the same lock.
_LOCK_PERSON = text(f"{_PERSON} FOR NO KEY UPDATE OF p")
_CHECK_INS = text("""
    SELECT id, person_id, trigger, rule, local_time, time_zone, starts_on, catch_up, after_days,
        paused_at IS NOT NULL AS paused, next_due_at, created_at
    FROM coaching.check_ins
    WHERE organization_id = CAST(:organization_id AS uuid) AND person_id = CAST(:person_id AS uuid)
    ORDER BY created_at, id
""")
_LAST_MESSAGE = text("""
    SELECT last_message_at FROM coaching.people
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:person_id AS uuid)
""")
_LAST_NUDGES = text("""
    SELECT check_in_id, max(due_at) AS last_nudge_at FROM coaching.nudges
    WHERE organization_id = CAST(:organization_id AS uuid) AND person_id = CAST(:person_id AS uuid)
        AND state IN ('dispatched', 'merged')
    GROUP BY check_in_id
""")
_HELD = text("""
    SELECT n.id, n.check_in_id, n.person_id, n.trigger, n.catch_up, n.due_at, n.reason, n.look_at,
        coalesce(c.time_zone, n.why->>'time_zone', '') AS time_zone
    FROM coaching.nudges n
    LEFT JOIN coaching.check_ins c ON c.organization_id = n.organization_id AND c.id = n.check_in_id
    WHERE n.organization_id = CAST(:organization_id AS uuid) AND n.person_id = CAST(:person_id AS uuid)
        AND n.state = 'held'
    ORDER BY n.due_at, n.id
""")
_TAKEN = text("""
    SELECT id FROM coaching.check_ins
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:id AS uuid)
""")
# prepare_at: somebody words the next one ahead of its time. A higher token tells whoever is at it that it has changed.
_WRITE = text("""
    INSERT INTO coaching.check_ins AS c
        (organization_id, id, person_id, trigger, rule, local_time, time_zone, starts_on, catch_up, after_days,
         created_at, paused_at, next_due_at, prepare_at)
    SELECT CAST(:organization_id AS uuid), id, person_id, trigger, rule, local_time, time_zone, starts_on, catch_up,
        after_days, created_at, CASE WHEN paused THEN CAST(:now AS timestamptz) END, next_due_at,
        next_due_at - make_interval(secs => :ahead)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
        (id uuid, person_id uuid, trigger text, rule text, local_time time, time_zone text, starts_on date,
         catch_up text, after_days integer, created_at timestamptz, paused boolean, next_due_at timestamptz)
    ON CONFLICT (organization_id, id) DO UPDATE SET
        time_zone = excluded.time_zone, paused_at = excluded.paused_at, next_due_at = excluded.next_due_at,
        prepare_at = excluded.prepare_at, prepare_token = c.prepare_token + 1, prepared_for = NULL,
        prepared_source = '', prepared_text = ''
""")
_REMOVE = text("""
    DELETE FROM coaching.check_ins
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:id AS uuid)
""")
_SET_TIMES = text("""
    UPDATE coaching.people SET time_zone = coalesce(CAST(:time_zone AS text), time_zone),
        quiet_start = coalesce(CAST(:quiet_start AS time), quiet_start),
        quiet_end = coalesce(CAST(:quiet_end AS time), quiet_end)
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:person_id AS uuid)
""")
_LOOK_AGAIN = text("""
    UPDATE coaching.nudges SET look_at = least(look_at, CAST(:now AS timestamptz))
    WHERE organization_id = CAST(:organization_id AS uuid) AND person_id = CAST(:person_id AS uuid)
        AND state = 'held' AND (CAST(:check_in_id AS uuid) IS NULL OR check_in_id = CAST(:check_in_id AS uuid))
""")


async def person_of(transaction: Transaction, ref: PersonRef, *, lock: bool = False) -> Times:
    """Return the person that is named. Raises UnknownError."""
    rows = await transaction.rows(
        _LOCK_PERSON if lock else _READ_PERSON,
        person_id=ref.person_id or None, channel=ref.channel, account=ref.account, sender_id=ref.sender_id,
    )  # fmt: skip
    if not rows:
        raise UnknownError("There is no such person here. People are known once they have written a first message.")
    return _times(rows[0])


class PostgresCheckIns:
    """CheckIns on PostgreSQL; `ahead_seconds` is how long before its due time a check-in's words are prepared."""

    def __init__(self, tables: Tables, ahead_seconds: float) -> None:
        self._tables = tables
        self._ahead_seconds = ahead_seconds

    @asynccontextmanager
    async def reading(self, ref: PersonRef) -> AsyncIterator["PersonRows"]:
        """See one person's check-ins as they are now."""
        async with self._tables.of(ref.organization_id) as transaction:
            yield PersonRows(transaction, await person_of(transaction, ref), self._ahead_seconds)

    @asynccontextmanager
    async def changing(self, ref: PersonRef) -> AsyncIterator["PersonRows"]:
        """Lock the person until the block ends, which commits."""
        async with self._tables.of(ref.organization_id) as transaction:
            yield PersonRows(transaction, await person_of(transaction, ref, lock=True), self._ahead_seconds)


class PersonRows:
    """OnePerson on PostgreSQL."""

    def __init__(self, transaction: Transaction, times: Times, ahead_seconds: float) -> None:
        self._transaction = transaction
        self._ahead_seconds = ahead_seconds
        self.times = times

    async def check_ins(self) -> list[CheckIn]:
        """Return all of them, oldest first."""
        rows = await self._transaction.rows(_CHECK_INS, person_id=self.times.person_id)
        return [check_in_of(row) for row in rows]

    async def activities(self) -> Mapping[str, Activity]:
        """Return when the person last wrote, and when each check-in last led to something."""
        [person] = await self._transaction.rows(_LAST_MESSAGE, person_id=self.times.person_id)
        written = person["last_message_at"]
        nudged = await self._transaction.rows(_LAST_NUDGES, person_id=self.times.person_id)
        return {"": Activity(written)} | {
            str(row["check_in_id"]): Activity(written, row["last_nudge_at"]) for row in nudged
        }

    async def held(self) -> list[Held]:
        """Return the nudges that wait."""
        rows = await self._transaction.rows(_HELD, person_id=self.times.person_id)
        return [Held(nudge_of(row), row["reason"], row["look_at"], row["time_zone"]) for row in rows]

    async def case(self, now: datetime, default_quiet: QuietHours) -> Case:
        """Return what else decides about this person."""
        person_id = self.times.person_id
        found = await persons(self._transaction, [person_id], now, default_quiet, planned=True)
        return found.persons[person_id][0]

    async def is_taken(self, check_in_id: str) -> bool:
        """Whether any person's check-in has this id."""
        return bool(await self._transaction.rows(_TAKEN, id=check_in_id))

    async def write(self, check_ins: Sequence[CheckIn], now: datetime) -> None:
        """Insert or replace check-ins."""
        rows = [_row(check_in) for check_in in check_ins]
        await self._transaction.run(_WRITE, rows=rows, now=now, ahead=float(self._ahead_seconds))

    async def remove(self, check_in_id: str) -> None:
        """Remove one; its nudges stay."""
        await self._transaction.run(_REMOVE, id=check_in_id)

    async def set_times(self, time_zone: str | None, quiet: QuietHours | None) -> None:
        """Set what is given."""
        start, end = (quiet.start, quiet.end) if quiet else (None, None)
        await self._transaction.run(
            _SET_TIMES, person_id=self.times.person_id, time_zone=time_zone, quiet_start=start, quiet_end=end
        )

    async def look_again(self, now: datetime, check_in_id: str = "") -> None:
        """Let held nudges be decided about anew."""
        await self._transaction.run(
            _LOOK_AGAIN, person_id=self.times.person_id, now=now, check_in_id=check_in_id or None
        )


def check_in_of(row: RowMapping) -> CheckIn:
    """Return a row of check_ins; `paused` is a column that the statement makes."""
    return CheckIn(
        check_in_id=str(row["id"]), person_id=PersonId(str(row["person_id"])), trigger=row["trigger"],
        rule=row["rule"], local_time=row["local_time"], time_zone=row["time_zone"], starts_on=row["starts_on"],
        catch_up=CatchUp(row["catch_up"]), after_days=row["after_days"], paused=row["paused"],
        next_due_at=row["next_due_at"], created_at=row["created_at"],
    )  # fmt: skip


def nudge_of(row: RowMapping) -> Nudge:
    """Return a row of nudges."""
    return Nudge(
        nudge_id=str(row["id"]), check_in_id=str(row["check_in_id"]), person_id=PersonId(str(row["person_id"])),
        trigger=row["trigger"], catch_up=CatchUp(row["catch_up"]), due_at=row["due_at"],
    )  # fmt: skip


def quiet_of(start: time | None, end: time | None) -> QuietHours | None:
    """Return the quiet hours of two columns; None where the person has said none."""
    return None if start is None or end is None else QuietHours(start, end)


def _times(row: RowMapping) -> Times:
    quiet = quiet_of(row["quiet_start"], row["quiet_end"])
    return Times(PersonId(str(row["id"])), row["time_zone"], quiet, row["stopped"])


def _row(check_in: CheckIn) -> dict[str, Any]:
    return {
        "id": check_in.check_in_id, "person_id": check_in.person_id, "trigger": check_in.trigger,
        "rule": check_in.rule, "local_time": check_in.local_time, "time_zone": check_in.time_zone,
        "starts_on": check_in.starts_on, "catch_up": check_in.catch_up.value, "after_days": check_in.after_days,
        "created_at": check_in.created_at, "paused": check_in.paused, "next_due_at": check_in.next_due_at,
    }  # fmt: skip
