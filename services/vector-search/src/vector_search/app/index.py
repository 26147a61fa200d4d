"""Changes to the index, one at a time for each person; upsert, delete and rebuild all go through here."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import accumulate
from weakref import WeakValueDictionary

from vector_search.app import metrics
from vector_search.app.embedding import Embedding
from vector_search.app.outcomes import Outcome
from vector_search.app.partition import Partition
from vector_search.app.partitions import Partitions
from vector_search.app.ports import Change, Entries, VectorStore
from vector_search.domain.errors import StoreUnavailableError, VectorSearchError
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

    async def partitions(self, scopes: Sequence[Scope]) -> list[Outcome[Partition]]:
        """Return each person's vectors for a search."""
        return await self._partitions.get(scopes)

    async def digests(self, scope: Scope) -> Mapping[str, str]:
        """Return what the index holds of a person, by text id."""
        return await self._store.digests(scope)

    async def put(self, scope: Scope, texts: Sequence[RememberedText]) -> int:
        """Store texts; of those with one id the last counts. Return how many were new or different."""
        return (await self._put({scope: texts}))[scope]

    async def put_many(self, texts: Mapping[Scope, Sequence[RememberedText]]) -> Mapping[Scope, Outcome[int]]:
        """Do so for many persons: those of one organisation together, so that what fails there fails no other."""
        organizations: dict[str, dict[Scope, Sequence[RememberedText]]] = {}
        for scope, own in texts.items():
            organizations.setdefault(scope.organization_id, {})[scope] = own
        done: dict[Scope, Outcome[int]] = {}
        for together in organizations.values():
            try:
                done.update(await self._put(together))
            except VectorSearchError as error:
                done.update(dict.fromkeys(together, error))
        return done

    async def _put(self, texts: Mapping[Scope, Sequence[RememberedText]]) -> Mapping[Scope, int]:
        async with AsyncExitStack() as locks:
            for scope in sorted(texts):  # in one order, so that two lists never wait for each other
                await locks.enter_async_context(self._lock(scope))
            entries = await self._embedded(await self._changed(texts))
            changes = await self._store.upsert(entries) if entries else {}
            for scope, change in changes.items():
                self._partitions.apply(scope, change, partial(_with, entries[scope]))
        counts = {scope: changes[scope].count if scope in changes else 0 for scope in texts}
        metrics.TEXTS_WRITTEN.inc(sum(counts.values()))
        return counts

    async def _changed(
        self, texts: Mapping[Scope, Sequence[RememberedText]]
    ) -> Mapping[Scope, tuple[RememberedText, ...]]:
        latest = {scope: {text.text_id: text for text in own} for scope, own in texts.items()}
        there = await self._store.known({scope: own.keys() for scope, own in latest.items()})
        changed = {
            scope: tuple(text for text in own.values() if there[scope].get(text.text_id) != text.digest())
            for scope, own in latest.items()
        }
        # What is there already may be of another replica, killed before it told of it: a write of nothing tells.
        told = {scope for scope, own in latest.items() if own} if self._store.shared else set()
        return {scope: own for scope, own in changed.items() if own or scope in told}

    async def _embedded(self, texts: Mapping[Scope, tuple[RememberedText, ...]]) -> Mapping[Scope, Entries]:
        vectors = await self._embedding.texts([text.text for own in texts.values() for text in own])
        ends = accumulate(len(own) for own in texts.values())
        return {
            scope: Entries(own, vectors[end - len(own) : end])
            for (scope, own), end in zip(texts.items(), ends, strict=True)
        }

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


def _with(added: Entries, partition: Partition) -> Partition:
    return partition.with_entries(added)
