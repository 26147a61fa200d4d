"""The newest nudge that reached somebody, for their own question why it came."""

from sqlalchemy import text

from coaching.adapters.postgres import Tables
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.nudge_words import SentNudge

# One that is in flight or unknown may have been read as well.
_NEWEST = text("""
    SELECT n.trigger, n.due_at, n.why, held.until, held.reason
    FROM coaching.deliveries d
    JOIN coaching.nudges n ON n.organization_id = d.organization_id AND n.id = d.nudge_id
    LEFT JOIN LATERAL (
        SELECT until, reason FROM coaching.decisions
        WHERE organization_id = n.organization_id AND nudge_id = n.id AND verdict = 'hold'
        ORDER BY number DESC LIMIT 1
    ) held ON true
    WHERE d.organization_id = CAST(:organization_id AS uuid) AND d.person_id = CAST(:person_id AS uuid)
        AND d.kind = 'proactive' AND d.state IN ('in_flight', 'accepted', 'delivered', 'read', 'unknown')
    ORDER BY d.created_at DESC, d.id DESC LIMIT 1
""")


class PostgresSentNudges:
    """SentNudges on PostgreSQL."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def newest(self, organization_id: OrganizationId, person_id: PersonId) -> SentNudge | None:
        """Return the newest one of a person, with the last time it was held."""
        async with self._tables.of(organization_id) as transaction:
            rows = await transaction.rows(_NEWEST, person_id=person_id)
        if not rows:
            return None
        [row] = rows
        why = {str(key): str(value) for key, value in row["why"].items()}
        return SentNudge(row["trigger"], row["due_at"], why, row["until"], row["reason"] or "")
