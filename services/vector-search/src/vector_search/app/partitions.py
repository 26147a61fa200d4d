"""The people whose vectors are in memory, bounded by bytes; each query checks that what is held is still current."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from vector_search.app import metrics
from vector_search.app.partition import Partition
from vector_search.app.ports import Change, VectorStore
from vector_search.domain.errors import VectorSearchError
from vector_search.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class _Held:
    version: str
    partition: Partition
    size_bytes: int


class Partitions:
    """A cache that cannot be stale: the store's version is read before every use.

    Replicas so forget together. A version is read before the load that is kept under it, and a write sets a new one
    after its last change: what was loaded before a write ended is never current after it.
    """

    def __init__(self, store: VectorStore, limit_bytes: int) -> None:
        self._store = store
        self._limit = limit_bytes
        self._held: OrderedDict[Scope, _Held] = OrderedDict()
        self._bytes = 0
        self._vectors = 0

    async def get(self, scopes: Collection[Scope]) -> list[Partition | VectorSearchError]:
        """Return the vectors of each person as they are in the store now, or why they cannot be loaded."""
        versions = await self._store.versions(dict.fromkeys(scopes).keys())
        found: dict[Scope, Partition | VectorSearchError] = {}
        for scope, version in versions.items():
            held = self._held.get(scope)
            if held is not None and held.version == version:
                self._held.move_to_end(scope)
                found[scope] = held.partition
        missing = versions.keys() - found.keys()
        loading = [self._loaded(scope, versions[scope]) for scope in missing]
        found.update(zip(missing, await asyncio.gather(*loading), strict=True))
        return [found[scope] for scope in scopes]

    async def _loaded(self, scope: Scope, version: str | None) -> Partition | VectorSearchError:
        try:
            partition = Partition(await self._store.load(scope))
        except VectorSearchError as error:
            return error
        metrics.PERSON_LOADS.inc()
        # Pages that were read during a write may have missed a text, and `apply` would take them for the state before.
        # Of a store that others write to nothing is applied, and the write's own version ends what is kept here.
        if self._store.shared or (await self._store.versions([scope]))[scope] == version:
            self._keep(scope, version, partition)
        return partition

    def apply(self, scope: Scope, change: Change, edit: Callable[[Partition], Partition]) -> None:
        """Follow a write of this process without reading the store again, where its versions are known for sure."""
        held = self._held.get(scope)
        if held is None:
            return
        follows = change.before is not None and held.version == change.before
        if follows and change.after is not None:
            self._keep(scope, change.after, edit(held.partition))
        else:
            self._drop(scope)
            self._measure()

    def _keep(self, scope: Scope, version: str | None, partition: Partition) -> None:
        self._drop(scope)
        size = partition.size_bytes
        if version is not None and size <= self._limit:
            self._held[scope] = _Held(version, partition, size)
            self._bytes += size
            self._vectors += len(partition)
            while self._bytes > self._limit:
                self._drop(next(iter(self._held)))
        self._measure()

    def _drop(self, scope: Scope) -> None:
        held = self._held.pop(scope, None)
        if held is not None:
            self._bytes -= held.size_bytes
            self._vectors -= len(held.partition)

    def _measure(self) -> None:
        metrics.VECTORS_IN_MEMORY.set(self._vectors)
        metrics.VECTOR_BYTES_IN_MEMORY.set(self._bytes)
