"""The last word on proactive messages, within the transaction that has locked their deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from coaching.adapters import last_word_statements as sql
from coaching.adapters.postgres import Transaction
from coaching.adapters.postgres_speaking import Sent, persons
from coaching.domain.check_ins import CatchUp
from coaching.domain.deliveries import Drop, Hold, Send
from coaching.domain.dispatching import Case
from coaching.domain.last_word import PAUSED, REMOVED, LastWord, Outgoing
from coaching.domain.proactive import Channel, Occasion
from coaching.domain.quiet_hours import QuietHours


async def outgoing(
    transaction: Transaction, ids: Sequence[str], now: datetime, default_quiet: QuietHours
) -> tuple[datetime, dict[str, Outgoing]]:
    """Lock the persons of these deliveries; return the database's clock, and what decides about each of them."""
    locked = await transaction.rows(sql.LOCK_PERSONS, ids=list(ids))
    rows = await transaction.rows(sql.OUTGOING, ids=list(ids))
    known = await persons(transaction, [str(row["id"]) for row in locked], now, default_quiet, planned=False)
    return known.database_now, {str(row["id"]): _outgoing(row, *known.persons[str(row["person_id"])]) for row in rows}


async def tell(transaction: Transaction, words: Sequence[LastWord], now: datetime) -> None:
    """Keep what was decided about nudges, and take back what does not leave."""
    rows = [_row(word) for word in words if word.outgoing.nudge_id]
    if rows:
        await transaction.run(sql.TELL, rows=rows, now=now)


def _outgoing(row: RowMapping, case: Case, sent: Sent) -> Outgoing:
    own = str(row["id"])
    others = tuple(at for delivery_id, at in zip(sent.ids, sent.times, strict=True) if delivery_id != own)
    occasion = Occasion(row["created_at"], CatchUp.ONCE)
    if row["nudge_id"] is not None:
        occasion = Occasion(row["due_at"], CatchUp(row["catch_up"]))
    return Outgoing(
        delivery_id=own, person_id=case.person_id, occasion=occasion, person=case.person,
        channel=Channel(gone=row["gone"]), history=replace(case.history, sent=others),
        nudge_id=str(row["nudge_id"] or ""), refused=REMOVED if row["removed"] else PAUSED if row["paused"] else "",
    )  # fmt: skip


def _row(word: LastWord) -> Mapping[str, Any]:
    verdict, reason, until = "send", "", None
    match word.decision:
        case Send():
            pass
        case Hold():
            verdict, reason, until = "hold", word.decision.reason, word.decision.until.isoformat()
        case Drop():
            verdict, reason = "drop", word.decision.reason
    item = word.outgoing
    return {
        "delivery_id": item.delivery_id, "nudge_id": item.nudge_id, "person_id": item.person_id, "verdict": verdict,
        "reason": reason, "until": until, "withdrawn": word.withdrawn,
        "look_at": word.look_at.isoformat() if word.look_at else None, "facts": word.facts,
    }  # fmt: skip
