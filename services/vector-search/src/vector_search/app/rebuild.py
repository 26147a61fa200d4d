"""Make the index exactly what coaching holds; safe to interrupt at any point and to run again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from vector_search.app import metrics
from vector_search.app.index import Index
from vector_search.app.ports import TextSource, VectorStore
from vector_search.domain.errors import SourceUnavailableError
from vector_search.domain.limits import MAX_ITEMS, can_be_indexed
from vector_search.domain.scope import EVERYTHING, Reach, Scope
from vector_search.domain.texts import RememberedText

MOST_PASSES = 10  # over one person whose texts keep changing; two are usual


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is."""

    texts_done: int
    removed: int
    finished: bool = False


class Rebuild:
    """One at a time in a process; two replicas may do it side by side."""

    def __init__(self, index: Index, store: VectorStore, source: TextSource) -> None:
        self._index = index
        self._store = store
        self._source = source
        self._turn = asyncio.Lock()

    async def run(self, reach: Reach) -> AsyncIterator[Progress]:
        """Compare everybody by digest, then settle each person who differs; progress after each.

        Raises SourceUnavailableError or StoreUnavailableError; what was settled until then stays.
        """
        yield Progress(0, 0)
        async with self._turn:
            held = await self._store.inventory(reach)
            wanted = await self._wanted(reach)
            done = sum(len(texts) for scope, texts in wanted.items() if held.get(scope) == texts)
            removed = 0
            yield Progress(done, removed)
            for scope in sorted({*held, *wanted}):
                if held.get(scope) == wanted.get(scope):
                    continue
                async for step in self._settle(scope):
                    done += step.texts_done
                    removed += step.removed
                    yield Progress(done, removed)
            if reach == EVERYTHING:
                await self._store.mark_complete()
                metrics.INDEX_COMPLETE.set(1)
            yield Progress(done, removed, finished=True)

    async def _wanted(self, reach: Reach) -> Mapping[Scope, Mapping[str, str]]:
        wanted: dict[Scope, dict[str, str]] = {}
        async for scope, text in self._source.everything(reach):
            if can_be_indexed(text):
                wanted.setdefault(scope, {})[text.text_id] = text.digest()
        return wanted

    async def _settle(self, scope: Scope) -> AsyncIterator[Progress]:
        """Read a person's texts and apply the difference, until reading finds none.

        Only what the index held *before* the reading is removed, so that a text which is stored meanwhile stays; and
        what is forgotten in coaching between reading and writing is found, and removed, by the next reading.
        """
        counted = False
        for _ in range(MOST_PASSES):
            held = await self._index.digests(scope)
            texts = [text async for text in self._source.of_person(scope) if can_be_indexed(text)]
            wanted = {text.text_id: text.digest() for text in texts}
            gone = held.keys() - wanted.keys()
            if gone:
                yield Progress(0, await self._index.remove(scope, gone))
            different = [text for text in texts if held.get(text.text_id) != wanted[text.text_id]]
            if not counted:
                yield Progress(len(texts) - len(different), 0)
            async for count in self._put(scope, different):
                yield Progress(0 if counted else count, 0)
            counted = True
            if not gone and not different:
                return
        raise SourceUnavailableError("a person's texts changed during every pass over them; run the rebuild again")

    async def _put(self, scope: Scope, texts: list[RememberedText]) -> AsyncIterator[int]:
        for begin in range(0, len(texts), MAX_ITEMS):
            batch = texts[begin : begin + MAX_ITEMS]
            await self._index.put(scope, batch)
            yield len(batch)
