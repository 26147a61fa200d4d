"""Claims on conversations: one function finds work of every organisation, everything else stays within one."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import text

from coaching.adapters.postgres import Tables
from coaching.domain.ids import ConversationId, OrganizationId
from coaching.domain.turn import Claim

CLAIM = text("SELECT organization_id, id, token FROM coaching.claim(:kind, :owner, :seconds, :most)")
# Locked in the order in which taking in and recording lock them too.
_EXTEND = text("""
    WITH mine AS MATERIALIZED (
        SELECT c.id FROM coaching.conversations c
        JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id uuid, token bigint)
            ON c.id = given.id AND c.lease_token = given.token
        WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.lease_owner IS NOT NULL
        ORDER BY c.channel, c.account, c.address FOR NO KEY UPDATE OF c
    )
    UPDATE coaching.conversations c SET lease_until = now() + make_interval(secs => :seconds)
    FROM mine WHERE c.organization_id = CAST(:organization_id AS uuid) AND c.id = mine.id
    RETURNING c.id
""")
_RELEASE = text("""
    UPDATE coaching.conversations
    SET lease_owner = NULL, lease_until = NULL, next_attempt_at = now() + make_interval(secs => :delay),
        attempts = CASE WHEN :failed THEN attempts ELSE greatest(attempts - 1, 0) END
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = CAST(:id AS uuid) AND lease_token = :token
        AND lease_owner IS NOT NULL
""")


class PostgresClaims:
    """Claims on PostgreSQL; leases run by the database's clock."""

    def __init__(self, tables: Tables, owner: str, lease_seconds: int) -> None:
        self._tables = tables
        self._owner = owner
        self._lease_seconds = lease_seconds

    async def claim(self, limit: int) -> list[Claim]:
        """Take up to `limit` conversations that wait for an answer and that nobody works on."""
        async with self._tables.across() as transaction:
            found = await transaction.rows(
                CLAIM, kind="conversation", owner=self._owner, seconds=self._lease_seconds, most=limit
            )
        return [
            Claim(OrganizationId(str(row["organization_id"])), ConversationId(str(row["id"])), row["token"])
            for row in found
        ]

    async def extend(self, claims: Sequence[Claim]) -> set[Claim]:
        """Make the leases last; return the claims that are still ours."""
        kept: set[Claim] = set()
        ordered = sorted(claims, key=lambda claim: claim.organization_id)
        for organization_id, group in groupby(ordered, key=lambda claim: claim.organization_id):
            own = list(group)
            rows = [{"id": claim.conversation_id, "token": claim.token} for claim in own]
            async with self._tables.of(organization_id) as transaction:
                found = await transaction.rows(_EXTEND, rows=rows, seconds=float(self._lease_seconds))
            ids = {str(row["id"]) for row in found}
            kept |= {claim for claim in own if claim.conversation_id in ids}
        return kept

    async def release(self, claim: Claim, delay_seconds: float, *, failed: bool) -> None:
        """Give a conversation back unanswered; one that did not fail does not count as an attempt."""
        async with self._tables.of(claim.organization_id) as transaction:
            await transaction.run(
                _RELEASE, id=claim.conversation_id, token=claim.token, delay=delay_seconds, failed=failed
            )
