"""The store on top of the collections: blocking calls in threads, one writer, versions around each write."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import httpx
from chromadb.errors import ChromaError

from vector_search.app.ports import Change, Entries
from vector_search.domain.errors import StoreUnavailableError
from vector_search.domain.scope import Reach, Scope
from vector_search.stores.chroma.index import ChromaIndex
from vector_search.stores.chroma.versions import Versions

T = TypeVar("T")


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn Chroma's errors into ours; their texts may quote what is stored and are left behind."""
    try:
        yield
    except (ChromaError, httpx.HTTPError) as error:
        raise StoreUnavailableError(f"Chroma: {type(error).__name__}") from None


class ChromaStore:
    """`close` lets go of what `open` took; `completed` is called when the index is whole."""

    def __init__(
        self,
        index: ChromaIndex,
        versions: Versions,
        readers: int,
        shared: bool,
        close: Callable[[], None],
        completed: Callable[[], None] = lambda: None,
    ) -> None:
        self._index = index
        self._versions = versions
        self.shared = shared
        self._close = close
        self._completed = completed
        self._reads = ThreadPoolExecutor(max_workers=readers, thread_name_prefix="chroma-read")
        # One writer: what is queued first is written first, even when nobody waits for it any more.
        self._writes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chroma-write")

    async def versions(self, scopes: Collection[Scope]) -> Mapping[Scope, str | None]:
        if not self.shared:  # counts of this process: no thread is needed
            return self._versions.read(scopes)
        return await self._in(self._reads, lambda: self._versions.read(scopes))

    async def load(self, scope: Scope) -> Entries:
        return await self._in(self._reads, lambda: self._index.load(scope))

    async def digests(self, scope: Scope, text_ids: Collection[str] | None = None) -> Mapping[str, str]:
        return await self._in(self._reads, lambda: self._index.digests(scope, text_ids))

    async def known(self, named: Mapping[Scope, Collection[str]]) -> Mapping[Scope, Mapping[str, str]]:
        return await self._in(self._reads, lambda: self._index.known(named))

    async def upsert(self, entries: Mapping[Scope, Entries]) -> Mapping[Scope, Change]:
        return await self._write(entries.keys(), lambda: self._index.upsert(entries))

    async def delete(self, scope: Scope, text_ids: Collection[str]) -> Change:
        return (await self._write([scope], lambda: {scope: self._index.delete(scope, text_ids)}))[scope]

    async def delete_person(self, scope: Scope) -> Change:
        return (await self._write([scope], lambda: {scope: self._index.delete_person(scope)}))[scope]

    async def inventory(self, reach: Reach) -> Mapping[Scope, Mapping[str, str]]:
        return await self._in(self._reads, lambda: self._index.inventory(reach))

    async def is_complete(self) -> bool:
        return await self._in(self._reads, self._index.is_complete)

    async def mark_complete(self) -> None:
        await self._in(self._writes, self._index.mark_complete)
        await asyncio.to_thread(self._completed)

    async def check(self) -> None:
        await self._in(self._reads, self._index.answer)

    async def close(self) -> None:
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._writes.shutdown()
        self._reads.shutdown()
        self._close()

    async def _write(
        self, scopes: Collection[Scope], write: Callable[[], Mapping[Scope, int]]
    ) -> Mapping[Scope, Change]:
        def versioned() -> Mapping[Scope, Change]:
            before = self._versions.begin(scopes)
            try:
                counts = write()
            finally:
                after = self._versions.end(scopes)
            return {scope: Change(counts[scope], before[scope], after[scope]) for scope in scopes}

        return await self._in(self._writes, versioned)

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        with unavailable():
            return await asyncio.get_running_loop().run_in_executor(threads, work)
