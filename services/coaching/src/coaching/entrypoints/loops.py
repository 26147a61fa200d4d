"""Work that is looked for now and then: the memory index, deliveries without a sender, numbers for metrics."""

import asyncio
from collections.abc import Awaitable, Callable

from coaching.app.ports import StoreRefusedError, StoreUnavailableError
from coaching.metrics import BACKLOG_ROWS, BACKLOG_SECONDS
from kit import log
from kit.backoff import Backoff
from kit.consumer import wait_for

_log = log.get_logger("coaching.loops")


class Loop:
    """Calls `work` until it finds nothing, then rests; `wake` ends the rest early."""

    def __init__(self, name: str, work: Callable[[], Awaitable[int]], rest_seconds: float) -> None:
        self._name = name
        self._work = work
        self._rest_seconds = rest_seconds
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that there is work."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`."""
        stop = asyncio.create_task(stopping.wait())
        delays = Backoff(first=0.5, most=30).delays()
        while not stopping.is_set():
            self._wake.clear()
            try:
                found = await self._work()
            except (StoreUnavailableError, StoreRefusedError) as error:
                _log.warning("loop_failed", loop=self._name, exc_info=error)
                _ = await wait_for(stopping, next(delays))
                continue
            delays = Backoff(first=0.5, most=30).delays()
            if not found:
                woken = asyncio.create_task(self._wake.wait())
                _ = await asyncio.wait({stop, woken}, timeout=self._rest_seconds, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
        stop.cancel()


def measuring(backlog: Callable[[], Awaitable[dict[str, tuple[int, float]]]]) -> Callable[[], Awaitable[int]]:
    """Return the work of a loop that shows how much waits."""

    async def measure() -> int:
        for kind, (rows, seconds) in (await backlog()).items():
            BACKLOG_ROWS.labels(kind).set(rows)
            BACKLOG_SECONDS.labels(kind).set(seconds)
        return 0

    return measure
