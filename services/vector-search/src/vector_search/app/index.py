"""Changes to the index, one at a time for each person; upsert, delete and rebuild all go through here."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from weakref import WeakValueDictionary

from vector_search.app import metrics
from vector_search.app.embedding import Embedding
from vector_search.app.partition import Partition
from vector_search.app.partitions import Partitions
from vector_search.app.ports import Change, Entries, VectorStore
from vector_search.domain.errors import StoreUnavailableError
from vector_search.domain.scope import Scope
from vector_search.domain.texts import RememberedText


class Index:
    """Writes of one person wait for each other, so that a deletion comes after an upsert that was there before it."""

    def __init__(self, store: VectorStore, embedding: Embedding, partitions: Partitions) -> None:
        self._store = store
        self._embedding = embedding
        self._partitions = partitions
        self._locks: WeakValueDictionary[Scope, asyncio.Lock] = WeakValueDictionary()

    @property
    def model(self) -> str:
        """The embedding model that the index is made with."""
        return self._embedding.model

    async def partition(self, scope: Scope) -> Partition:
        """Return a person's vectors for a search."""
        return await self._partitions.get(scope)

    async def digests(self, scope: Scope) -> Mapping[str, str]:
        """Return what the index holds of a person, by text id."""
        return await self._store.digests(scope)

    async def put(self, scope: Scope, texts: Sequence[RememberedText]) -> int:
        """Store texts; of those with one id the last counts. Return how many were new or different."""
        async with self._lock(scope):
            latest = {text.text_id: text for text in texts}
            there = await self._store.digests(scope, latest.keys())
            changed = tuple(text for text in latest.values() if there.get(text.text_id) != text.digest())
            if not changed:
                return 0
            entries = Entries(changed, await self._embedding.texts([text.text for text in changed]))
            change = await self._store.upsert(scope, entries)
            self._partitions.apply(scope, change, lambda partition: partition.with_entries(entries))
        metrics.TEXTS_WRITTEN.inc(change.count)
        return change.count

    async def remove(self, scope: Scope, text_ids: Collection[str]) -> int:
        """Delete texts by id and look again that they are gone. Return how many there were."""
        async with self._lock(scope):
            change = await self._store.delete(scope, text_ids)
            self._partitions.apply(scope, change, lambda partition: partition.without(text_ids))
            left = len(await self._store.digests(scope, text_ids))
        return self._deleted(change, left)

    async def remove_everything(self, scope: Scope) -> int:
        """Delete all of a person and look again that nothing is left. Return how many texts there were."""
        async with self._lock(scope):
            change = await self._store.delete_person(scope)
            self._partitions.apply(scope, change, Partition.emptied)
            left = len(await self._store.digests(scope))
        return self._deleted(change, left)

    @staticmethod
    def _deleted(change: Change, left: int) -> int:
        if left:
            raise StoreUnavailableError("texts are still there after their deletion")
        metrics.TEXTS_DELETED.inc(change.count)
        return change.count

    def _lock(self, scope: Scope) -> asyncio.Lock:
        return self._locks.setdefault(scope, asyncio.Lock())
