"""An event loop in a thread, for servers that outlive one test's own loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Enter async context managers here; they are left, last in first out, when this one is."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._entered: list[AbstractAsyncContextManager[Any]] = []

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 60) -> T:
        """Run `work` in the loop and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def call(self, work: Callable[[], T]) -> T:
        """Call `work` in the loop's thread: for code that starts tasks there."""

        async def called() -> T:
            return work()

        return self.run(called())

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work`, which belongs to this loop, from another one."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def enter(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter `manager` for the life of this loop."""

        async def enter() -> T:
            return await manager.__aenter__()

        value = self.run(enter())
        self._entered.append(manager)
        return value

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for manager in reversed(self._entered):
            self.run(self._leave(manager))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @staticmethod
    async def _leave(manager: AbstractAsyncContextManager[Any]) -> None:
        await manager.__aexit__(None, None, None)
