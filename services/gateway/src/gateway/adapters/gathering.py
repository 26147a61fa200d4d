"""What is asked while one list is under way goes together in the next, bounded in number and bytes."""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of a list."""

    items: int
    size: int
    """Bytes together; one item alone may be larger."""
    patience_seconds: float
    """So long a list without an answer holds up the next: then its replica may hang, and another be well."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    size: int
    ends: float
    future: "asyncio.Future[R]"
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class Gathering(Generic[T, R]):
    """Sends items in lists, in the order in which they came; nothing waits where no list is under way.

    `send` gets a list and the seconds that its most patient item still has, and returns a result for each.
    """

    def __init__(self, send: Callable[[Sequence[T], float], Awaitable[Sequence[R]]], bounds: Bounds) -> None:
        self._send = send
        self._bounds = bounds
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._newest: asyncio.Task[None] | None = None

    async def ask(self, item: T, size: int, seconds: float) -> R:
        """Return the result for one item; raises what its list raised, and TimeoutError after `seconds`."""
        one: _Waiting[T, R] = _Waiting(
            item, size, time.monotonic() + seconds, asyncio.get_running_loop().create_future()
        )
        self._waiting.append(one)
        if self._newest is None:
            self._start()
        async with asyncio.timeout(seconds):
            return await one.future

    def _start(self) -> None:
        # It takes its items once it runs: what is asked in the same moment goes in the same list. Its trace is that of
        # its first item.
        task = asyncio.create_task(self._run(), context=self._waiting[0].context)
        self._newest = task
        self._under_way.add(task)
        overdue = asyncio.get_running_loop().call_later(self._bounds.patience_seconds, self._next_after, task)

        def ended(_: "asyncio.Task[None]") -> None:
            overdue.cancel()
            self._under_way.discard(task)
            self._next_after(task)

        task.add_done_callback(ended)

    def _next_after(self, task: "asyncio.Task[None]") -> None:
        if self._newest is task:
            self._newest = None
            if self._waiting:
                self._start()

    def _take(self) -> list[_Waiting[T, R]]:
        taken: list[_Waiting[T, R]] = []
        size = 0
        while self._waiting and len(taken) < self._bounds.items:
            one = self._waiting[0]
            if not one.future.done():  # whoever gave up is not asked for
                size += one.size
                if taken and size > self._bounds.size:
                    break
                taken.append(one)
            self._waiting.popleft()
        return taken

    async def _run(self) -> None:
        taken = self._take()
        if not taken:
            return
        seconds = max(one.ends for one in taken) - time.monotonic()
        try:
            results = await self._send([one.item for one in taken], max(0.05, seconds))
            for one, result in zip(taken, results, strict=True):
                if not one.future.done():
                    one.future.set_result(result)
        except Exception as error:  # noqa: BLE001  # handed to every caller, who decides
            for one in taken:
                if not one.future.done():
                    one.future.set_exception(error)
