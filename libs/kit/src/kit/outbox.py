"""The outbox relay: rows that a transaction left for NATS are published in windows, then marked."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from kit import log
from kit.backoff import Backoff
from kit.consumer import UNAVAILABLE, wait_for
from kit.jetstream import Bus, Outgoing

_log = log.get_logger("kit.outbox")


class OutboxSource(Protocol):
    """Where rows wait; `msg_id` of an Outgoing identifies its row."""

    async def claim(self, limit: int) -> Sequence[Outgoing]:
        """Take up to `limit` unpublished rows, oldest first, so that no other relay has them for a while."""

    async def published(self, msg_ids: Sequence[str]) -> None:
        """Mark rows as stored by the stream."""


class Relay:
    """Publishes rows until stopped. A crash between publish and mark repeats a row: its msg_id and consumers cope."""

    def __init__(self, source: OutboxSource, bus: Bus, window: int = 256, poll_seconds: float = 1.0) -> None:
        self._source = source
        self._bus = bus
        self._window = window
        self._poll_seconds = poll_seconds
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that a row was just committed, so that it need not wait for the next poll."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping`; what is left stays in the table."""
        delays = Backoff(first=0.2, most=5).delays()
        while not stopping.is_set():
            self._wake.clear()
            try:
                moved = await self.once()
            except (*UNAVAILABLE, ConnectionError) as error:
                _log.warning("relay_failed", exc_info=error)
                await wait_for(stopping, next(delays))
                continue
            delays = Backoff(first=0.2, most=5).delays()
            if moved < self._window:
                await self._rest(stopping)

    async def once(self) -> int:
        """Publish one window; return how many rows were stored."""
        rows = await self._source.claim(self._window)
        if not rows:
            return 0
        stored = await self._bus.publish_window(rows)
        if stored:
            await self._source.published(stored)
        if len(stored) < len(rows):
            raise ConnectionError("the stream did not take all rows")
        return len(stored)

    async def _rest(self, stopping: asyncio.Event) -> None:
        waits = {asyncio.create_task(self._wake.wait()), asyncio.create_task(stopping.wait())}
        _, pending = await asyncio.wait(waits, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
