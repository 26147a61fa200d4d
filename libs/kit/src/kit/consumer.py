"""Durable pull consumers: messages in batches, as soon as there are any, across restarts of the server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from kit import log
from kit.backoff import Backoff
from kit.metrics import NATS_CONSUMED

FETCH_SECONDS = 5.0
# What a call on a broken or reconnecting connection may raise.
UNAVAILABLE = (NatsError, APIError, OSError, asyncio.TimeoutError)
_log = log.get_logger("kit.consumer")


class ConsumerSpec(Protocol):
    """What a consumer is bound by; contracts.topology has these."""

    @property
    def durable(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def filter_subject(self) -> str: ...
    @property
    def ack_wait_seconds(self) -> int: ...
    @property
    def max_deliver(self) -> int: ...
    @property
    def max_ack_pending(self) -> int: ...


class PullConsumer:
    """A durable pull consumer, shared by all replicas."""

    def __init__(self, js: JetStreamContext, spec: ConsumerSpec, ack_wait_seconds: float) -> None:
        self._js = js
        self._spec = spec
        self._ack_wait_seconds = ack_wait_seconds

    async def batches(self, limit: int, stopping: asyncio.Event) -> AsyncIterator[list[Msg]]:
        """Yield up to `limit` messages as soon as there are any, until `stopping`; survives restarts of the server."""
        delays = Backoff(first=0.2, most=5).delays()
        subscription: JetStreamContext.PullSubscription | None = None
        while not stopping.is_set():
            try:
                if subscription is None:
                    subscription = await self._js.pull_subscribe_bind(self._spec.durable, stream=self._spec.stream)
                batch = await _fetch(subscription, limit, stopping)
            except UNAVAILABLE as error:
                _log.warning("fetch_failed", consumer=self._spec.durable, exc_info=error)
                subscription = None
                await wait_for(stopping, next(delays))
                continue
            delays = Backoff(first=0.2, most=5).delays()
            if batch:
                NATS_CONSUMED.labels(self._spec.durable).inc(len(batch))
                yield batch
        if subscription is not None and self._js._nc.is_connected:  # the library has no public way back
            await subscription.unsubscribe()

    @asynccontextmanager
    async def working(self, batch: Sequence[Msg]) -> AsyncIterator[None]:
        """Tell the server every third of the ack wait that `batch` is still being worked on."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._ack_wait_seconds / 3)
                for message in batch:
                    if not message.is_acked:
                        try:
                            await message.in_progress()
                        except UNAVAILABLE:
                            return

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _fetch(subscription: JetStreamContext.PullSubscription, limit: int, stopping: asyncio.Event) -> list[Msg]:
    async def some() -> list[Msg]:
        # The library's fetch of several waits for more, up to its timeout, where a status of an earlier request comes
        # late. So one is waited for, put back, and with it there the library asks for the others without waiting.
        [first] = await subscription.fetch(1, timeout=FETCH_SECONDS)
        subscription._sub._pending_queue.put_nowait(first)
        subscription._sub._pending_size += len(first.data)
        return await subscription.fetch(limit, timeout=FETCH_SECONDS)

    fetch, stop = asyncio.create_task(some()), asyncio.create_task(stopping.wait())
    await asyncio.wait({fetch, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    fetch.cancel()  # if it is not done: what arrives for the abandoned request is redelivered after the ack wait
    try:
        return await fetch
    except (TimeoutError, asyncio.CancelledError):  # the library raises several kinds of the former
        return []


async def wait_for(event: asyncio.Event, seconds: float) -> bool:
    """Wait up to `seconds` for `event`; return whether it is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
