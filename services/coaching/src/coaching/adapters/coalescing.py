"""Calls that come together are written together: while one batch is under way, the next one gathers."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from coaching.app.ports import StoreRefusedError

T = TypeVar("T")
R = TypeVar("R")


class Coalescer(Generic[T, R]):
    """Turns single calls into batches, one batch at a time per key, without waiting when nothing is under way.

    One transaction a turn is bounded by the disk's commits; many turns a transaction are not (PostgreSQL's own group
    commit does not help where each turn is several statements on its own connection).

    With `patience_seconds`, a batch that takes longer holds up the next no more: its peer's replica may hang.
    """

    def __init__(
        self,
        call: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        key: Callable[[T], Hashable],
        limit: int = 128,
        patience_seconds: float | None = None,
    ) -> None:
        self._call = call
        self._key = key
        self._limit = limit
        self._patience = patience_seconds
        self._under_way: set[asyncio.Task[None]] = set()
        self._waiting: dict[Hashable, list[tuple[T, asyncio.Future[R]]]] = {}
        self._workers: dict[Hashable, asyncio.Task[None]] = {}

    async def __call__(self, item: T) -> R:
        """Return the result for one item; raises what its batch raised."""
        key = self._key(item)
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append((item, future))
        if key not in self._workers:
            self._workers[key] = asyncio.create_task(self._work(key))
        return await future

    async def _work(self, key: Hashable) -> None:
        try:
            # One turn of the event loop: what is called in the same moment shares the first batch.
            await asyncio.sleep(0)
            while waiting := self._waiting.pop(key, []):
                batch, rest = waiting[: self._limit], waiting[self._limit :]
                if rest:
                    self._waiting[key] = [*rest, *self._waiting.get(key, [])]
                answering = asyncio.create_task(self._answer([pair for pair in batch if not pair[1].cancelled()]))
                self._under_way.add(answering)
                answering.add_done_callback(self._under_way.discard)
                _ = await asyncio.wait({answering}, timeout=self._patience)
        finally:
            del self._workers[key]

    async def _answer(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        if not batch:
            return
        try:
            results = await self._call([item for item, _ in batch])
        except StoreRefusedError as error:
            # One of them is refused: each alone, so that it spoils no other.
            if len(batch) > 1:
                for pair in batch:
                    await self._answer([pair])
                return
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001  # handed to every caller, who decides
            _fail(batch, error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _fail(batch: list[tuple[T, "asyncio.Future[R]"]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
