"""What deciding about speaking first must know of a person, as rows of the database tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from coaching.adapters import schedule_statements as sql
from coaching.adapters.postgres import Transaction
from coaching.domain.dispatching import Case, Place, Prepared
from coaching.domain.ids import PersonId
from coaching.domain.proactive import Channel, History, Person
from coaching.domain.quiet_hours import QuietHours

COUNTED = timedelta(days=8)  # a week's cap, in any zone


@dataclass(frozen=True, slots=True)
class Sent:
    """Proactive messages that left, or may have: ids of their deliveries, and when."""

    ids: tuple[str, ...]
    times: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Persons by id, and the database's clock."""

    database_now: datetime
    persons: dict[str, tuple[Case, Sent]]


async def persons(
    transaction: Transaction, ids: Sequence[str], now: datetime, default_quiet: QuietHours, *, planned: bool
) -> Known:
    """Return what is known of each person; `planned`: what is only on its way counts as sent.

    Asked last: the database's clock that comes with it is compared with others at once.
    """
    rows = await transaction.rows(sql.PERSONS, ids=list(ids), since=now - COUNTED, planned=planned)
    database_now = rows[-1]["database_now"] if rows else now
    return Known(database_now, {row["id"]: _case(row, default_quiet) for row in rows})


def _case(row: RowMapping, default_quiet: QuietHours) -> tuple[Case, Sent]:
    start, end = row["quiet_start"], row["quiet_end"]
    quiet = default_quiet if start is None or end is None else QuietHours(start, end)
    person = Person(row["time_zone"], quiet, row["told"], row["stopped"], row["snoozed_until"], row["crisis_hold"])
    sent = Sent(tuple(row["ids"] or ()), tuple(row["times"] or ()))
    conversation = row["conversation_id"]
    place = None if conversation is None else Place(conversation, row["channel"], row["account"], row["address"])
    case = Case(
        person_id=PersonId(row["id"]), locale=row["locale"], person=person, channel=Channel(gone=place is None),
        history=History(sent.times, row["last_message_at"], row["turn_open"]), place=place, newest=row["newest"] or 0,
    )  # fmt: skip
    return case, sent


def prepared(row: RowMapping) -> Prepared:
    """Return the words that a check-in's row keeps for a due time."""
    return Prepared(
        row["prepared_for"], row["prepared_at"], row["prepared_position"] or 0, row["prepared_source"] or "",
        row["prepared_text"] or "",
    )  # fmt: skip
