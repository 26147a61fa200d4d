"""Giving texts to the memory index, outside of any turn, until it has them."""

import asyncio

from coaching.app.ports import Memory, MemoryQueue, MemoryUnavailableError
from coaching.domain.messages import MemoryText
from coaching.metrics import REMEMBERED
from kit import log

BATCH = 256  # the most that one Upsert takes
PARALLEL = 4  # one embedder works behind it
_log = log.get_logger("coaching.remember")


class Remember:
    """Indexes what turns left behind; the database knows what is still to be done."""

    def __init__(self, queue: MemoryQueue, memory: Memory) -> None:
        self._queue = queue
        self._memory = memory

    async def __call__(self) -> int:
        """Index one batch; return how many texts were taken. Raises StoreUnavailableError."""
        texts = await self._queue.claim(BATCH)
        people: dict[tuple[str, str], list[MemoryText]] = {}
        for text in texts:
            people.setdefault((text.organization_id, text.person_id), []).append(text)
        gate = asyncio.Semaphore(PARALLEL)

        async def index(own: list[MemoryText]) -> None:
            await self._index(own, gate)

        # Not a TaskGroup: that would cut the others off, and raise a group, which no caller waits for.
        for error in await asyncio.gather(*map(index, people.values()), return_exceptions=True):
            if error is not None:
                raise error
        return len(texts)

    async def _index(self, texts: list[MemoryText], gate: asyncio.Semaphore) -> None:
        first = texts[0]
        try:
            async with gate:
                model = await self._memory.upsert(first.organization_id, first.person_id, texts)
        except MemoryUnavailableError as error:
            _log.warning("remember_postponed", texts=len(texts), exc_info=error)
            REMEMBERED.labels("postponed").inc(len(texts))
            await self._queue.postponed(texts)
            return
        REMEMBERED.labels("done").inc(len(texts))
        await self._queue.remembered(texts, model)
