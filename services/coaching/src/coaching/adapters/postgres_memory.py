"""Texts that wait for the memory index."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import RowMapping, text

from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_claims import CLAIM
from coaching.domain.messages import MemoryText

LEASE_SECONDS = 120  # 256 texts take some seconds to embed
_LOAD = text("""
    SELECT id, person_id, text, role, created_at FROM coaching.messages
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
        AND memory_state = 'pending'
    ORDER BY position
""")
_REMEMBERED = text("""
    UPDATE coaching.messages SET memory_state = 'done', remembered_at = now(), embedding_model = :model
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
        AND memory_state = 'pending'
""")
# 2, 4, 8 ... up to about 17 minutes.
_POSTPONED = text("""
    UPDATE coaching.messages SET memory_due_at = now() + make_interval(secs => power(2, least(memory_attempts, 10)))
    WHERE organization_id = CAST(:organization_id AS uuid) AND id = ANY (CAST(:ids AS uuid[]))
        AND memory_state = 'pending'
""")


class PostgresMemoryQueue:
    """MemoryQueue on PostgreSQL."""

    def __init__(self, tables: Tables, owner: str) -> None:
        self._tables = tables
        self._owner = owner

    async def claim(self, limit: int) -> list[MemoryText]:
        """Take up to `limit` texts that the index does not hold yet."""
        async with self._tables.across() as transaction:
            found = await transaction.rows(CLAIM, kind="memory", owner=self._owner, seconds=LEASE_SECONDS, most=limit)
        pairs = sorted((str(row["organization_id"]), str(row["id"])) for row in found)
        texts: list[MemoryText] = []
        for organization_id, group in groupby(pairs, key=lambda pair: pair[0]):
            async with self._tables.of(organization_id) as transaction:
                rows = await transaction.rows(_LOAD, ids=[row_id for _, row_id in group])
            texts += [memory_text(organization_id, row) for row in rows]
        return texts

    async def remembered(self, texts: Sequence[MemoryText], embedding_model: str) -> None:
        """Note that the index holds these texts, all of one organisation."""
        async with self._tables.of(texts[0].organization_id) as transaction:
            await transaction.run(_REMEMBERED, ids=[text.text_id for text in texts], model=embedding_model)

    async def postponed(self, texts: Sequence[MemoryText]) -> None:
        """Try again later, after longer with each failure."""
        async with self._tables.of(texts[0].organization_id) as transaction:
            await transaction.run(_POSTPONED, ids=[text.text_id for text in texts])


def memory_text(organization_id: str, row: RowMapping) -> MemoryText:
    """Return a message as the index takes it."""
    return MemoryText(
        organization_id, str(row["person_id"]), str(row["id"]), row["text"], row["created_at"], row["role"] == "person"
    )
