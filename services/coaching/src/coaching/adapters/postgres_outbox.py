"""The outbox as the kit's relay reads it."""

from collections.abc import Sequence

from sqlalchemy import text

from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_claims import CLAIM
from kit.faultpoints import reached
from kit.jetstream import Outgoing

LEASE_SECONDS = 15  # a window is published within five; a relay that dies is followed by another after this
_LOAD = text("""
    SELECT id, subject, payload, trace FROM coaching.outbox
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
    ORDER BY id
""")
_PUBLISHED = text("""
    UPDATE coaching.outbox SET published_at = now()
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
""")


class PostgresOutbox:
    """OutboxSource on PostgreSQL; it remembers which organisation a claimed row belongs to until it is published."""

    def __init__(self, tables: Tables, owner: str) -> None:
        self._tables = tables
        self._owner = owner
        self._organizations: dict[str, str] = {}

    async def claim(self, limit: int) -> Sequence[Outgoing]:
        """Take up to `limit` unpublished rows, so that no other relay has them for a while."""
        async with self._tables.across() as transaction:
            found = await transaction.rows(CLAIM, kind="outbox", owner=self._owner, seconds=LEASE_SECONDS, most=limit)
        self._organizations = {str(row["id"]): str(row["organization_id"]) for row in found}
        rows: list[Outgoing] = []
        for organization_id, ids in self._grouped(list(self._organizations)).items():
            async with self._tables.of(organization_id) as transaction:
                rows += [
                    Outgoing(row["subject"], row["payload"], str(row["id"]), _headers(row["trace"]))
                    for row in await transaction.rows(_LOAD, ids=ids)
                ]
        return rows

    async def published(self, msg_ids: Sequence[str]) -> None:
        """Mark rows as stored by the stream."""
        reached("before_outbox_mark")
        for organization_id, ids in self._grouped(msg_ids).items():
            async with self._tables.of(organization_id) as transaction:
                await transaction.run(_PUBLISHED, ids=ids)

    def _grouped(self, ids: Sequence[str]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for row_id in ids:
            groups.setdefault(self._organizations[row_id], []).append(row_id)
        return groups


def _headers(trace: str) -> dict[str, str]:
    return {"traceparent": trace} if trace else {}
