"""Nudges, and the decisions about them, for whoever asks."""

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_check_ins import nudge_of, person_of
from coaching.app.check_ins.ports import PersonRef
from coaching.domain.check_ins import NudgeState
from coaching.domain.explaining import ToldDecision, ToldNudge

# A nudge that was merged left in the delivery of the one that spoke for it.
_NUDGES = """
    SELECT n.id, n.check_in_id, n.person_id, n.trigger, n.catch_up, n.due_at, n.state, n.reason, n.merged_into, n.why,
        d.id AS delivery_id, d.state AS delivery_state, d.channel, m.source
    FROM coaching.nudges n
    LEFT JOIN coaching.deliveries d ON d.organization_id = n.organization_id
        AND d.nudge_id = coalesce(n.merged_into, n.id)
    LEFT JOIN coaching.messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    WHERE n.organization_id = CAST(:organization_id AS uuid)
"""
_OF_PERSON = text(f"{_NUDGES} AND n.person_id = CAST(:person_id AS uuid) ORDER BY n.due_at DESC, n.id LIMIT :most")
_ONE = text(f"{_NUDGES} AND n.id = CAST(:id AS uuid)")
_DECISIONS = text("""
    SELECT at, asked_by, verdict, reason, until, facts FROM coaching.decisions
    WHERE organization_id = CAST(:organization_id AS uuid) AND nudge_id = CAST(:id AS uuid)
    ORDER BY number
""")


class PostgresExplaining:
    """Explaining on PostgreSQL."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def nudges(self, ref: PersonRef, limit: int) -> list[ToldNudge]:
        """Return a person's nudges, newest first."""
        async with self._tables.of(ref.organization_id) as transaction:
            person = await person_of(transaction, ref)
            rows = await transaction.rows(_OF_PERSON, person_id=person.person_id, most=limit)
        return [_nudge(row) for row in rows]

    async def nudge(self, organization_id: str, nudge_id: str) -> tuple[ToldNudge, list[ToldDecision]] | None:
        """Return one nudge with its decisions, oldest first."""
        async with self._tables.of(organization_id) as transaction:
            rows = await transaction.rows(_ONE, id=nudge_id)
            decisions = await transaction.rows(_DECISIONS, id=nudge_id)
        return (_nudge(rows[0]), [_decision(row) for row in decisions]) if rows else None


def _nudge(row: RowMapping) -> ToldNudge:
    return ToldNudge(
        nudge_of(row),
        state=NudgeState(row["state"]), reason=row["reason"], merged_into=str(row["merged_into"] or ""),
        delivery_id=str(row["delivery_id"] or ""), delivery_state=row["delivery_state"] or "",
        channel=row["channel"] or "", source=row["source"] or "",
        why={str(key): str(value) for key, value in row["why"].items()},
    )  # fmt: skip


def _decision(row: RowMapping) -> ToldDecision:
    facts = {str(key): str(value) for key, value in row["facts"].items()}
    return ToldDecision(row["at"], row["asked_by"], row["verdict"], row["reason"], row["until"], facts)
