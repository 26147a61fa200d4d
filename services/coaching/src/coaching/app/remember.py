"""Giving texts to the memory index, outside of any turn, until it has them."""

import asyncio

from coaching.app.ports import Memory, MemoryQueue, MemoryUnavailableError
from coaching.domain.messages import MemoryText
from coaching.metrics import REMEMBERED
from kit import log

BATCH = 256  # the most that one list takes
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
        done: dict[tuple[str, str], list[MemoryText]] = {}  # by organisation and model
        failed: dict[str, list[MemoryText]] = {}
        for own, model in zip(people.values(), await self._memory.upsert(list(people.values())), strict=True):
            organization_id = own[0].organization_id
            if not isinstance(model, MemoryUnavailableError):
                done.setdefault((organization_id, model), []).extend(own)
                continue
            if organization_id not in failed:  # they fail together, as a rule
                _log.warning("remember_postponed", texts=len(own), exc_info=model)
            failed.setdefault(organization_id, []).extend(own)
        notes = [self._remembered(own, model) for (_, model), own in done.items()]
        # Not a TaskGroup: that would cut the others off, and raise a group, which no caller waits for.
        for error in await asyncio.gather(*notes, *map(self._postponed, failed.values()), return_exceptions=True):
            if error is not None:
                raise error
        return len(texts)

    async def _remembered(self, texts: list[MemoryText], model: str) -> None:
        REMEMBERED.labels("done").inc(len(texts))
        await self._queue.remembered(texts, model)

    async def _postponed(self, texts: list[MemoryText]) -> None:
        REMEMBERED.labels("postponed").inc(len(texts))
        await self._queue.postponed(texts)
