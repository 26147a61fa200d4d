"""The floor: the product's processes with the same calls between them, the same batches, and nothing decided.

edge: webhook -> Receive. adapter: Receive -> INBOUND; OUTBOUND -> ClaimDelivery, ReportDelivery, sendMessage.
coach: INBOUND -> inbox -> claim -> Search -> Generate -> record -> relay -> OUTBOUND; Upsert. model, memory: its peers.
With "one" the coach takes one message at a time, and a step begins when the one before has ended: the loop.
With "direct" the coach and the sender do all of it but what is HTTP and gRPC: the guard that the floor is a fast one.
This file is what the roles share.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import grpc
import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext

T = TypeVar("T")
R = TypeVar("R")
CALL_SECONDS = 20.0
FETCH = 256
HOST = "127.0.0.1"
OPTIONS = (("grpc.max_receive_message_length", 16 * 1024 * 1024), ("grpc.so_reuseport", 0))


class Together(Generic[T, R]):
    """What is asked while a call is under way goes together in the next."""

    def __init__(self, call: Callable[[list[T]], Awaitable[Sequence[R]]], most: int = FETCH) -> None:
        self._call = call
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    def __call__(self, item: T) -> asyncio.Future[R]:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            for (_, future), found in zip(batch, await self._call([item for item, _ in batch]), strict=True):
                future.set_result(found)


async def jetstream(url: str) -> JetStreamContext:
    """Connect to NATS."""
    return (await nats.connect(url, pending_size=8 * 1024 * 1024)).jetstream(timeout=CALL_SECONDS)


async def publish(js: JetStreamContext, messages: Sequence[tuple[str, bytes, str]]) -> None:
    """Publish (subject, payload, id) and wait until the stream has stored them all."""
    stored = [await js.publish_async(to, payload, headers={"Nats-Msg-Id": own}) for to, payload, own in messages]
    _ = await asyncio.gather(*stored)


async def consume(
    js: JetStreamContext, durable: str, stream: str, handle: Callable[[list[Msg]], Awaitable[None]], most: int = FETCH
) -> None:
    """Hand on batches for ever."""
    subscription = await js.pull_subscribe_bind(durable, stream=stream)
    while True:
        try:
            batch = await subscription.fetch(most, timeout=5.0)
        except TimeoutError:  # the library raises several kinds of it
            continue
        if batch:  # it may be empty, where another fetch has had the messages
            await handle(batch)


async def serve(register: Callable[[Any, grpc.aio.Server], None], servicer: Any, port: int) -> None:
    """Serve gRPC for ever."""
    server = grpc.aio.server(options=OPTIONS)
    register(servicer, server)
    server.add_insecure_port(f"{HOST}:{port}")
    await server.start()
    await server.wait_for_termination()


def channel(port: int) -> grpc.aio.Channel:
    """Return a channel to another role."""
    return grpc.aio.insecure_channel(f"{HOST}:{port}", options=OPTIONS)
