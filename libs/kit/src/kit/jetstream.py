"""NATS: one connection per process, publishes in windows that are acknowledged together, pull consumers in batches."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import APIError

from kit import log, tracing
from kit.consumer import UNAVAILABLE, ConsumerSpec, PullConsumer
from kit.metrics import NATS_PUBLISHED
from kit.process import Life, StartError

MESSAGE_ID = "Nats-Msg-Id"
PUBLISH_SECONDS = 5.0
_log = log.get_logger("kit.jetstream")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish; `msg_id` lets the stream drop a repetition within its duplicate window."""

    subject: str
    payload: bytes
    msg_id: str
    headers: dict[str, str] = field(default_factory=dict)


class Bus:
    """The process's connection to NATS."""

    def __init__(self, client: Client) -> None:
        self.nc = client
        self.js: JetStreamContext = client.jetstream(timeout=PUBLISH_SECONDS)

    async def publish(self, message: Outgoing) -> None:
        """Publish and wait until the stream has stored it; raises one of UNAVAILABLE where it has not."""
        ack = await self.js.publish(message.subject, message.payload, headers=_headers(message))
        NATS_PUBLISHED.labels(ack.stream).inc()

    async def publish_window(self, messages: Sequence[Outgoing]) -> list[str]:
        """Publish many, wait for all acknowledgements together, and return the msg_ids that are stored."""
        futures = []
        for message in messages:
            try:
                futures.append(await self.js.publish_async(message.subject, message.payload, headers=_headers(message)))
            except UNAVAILABLE as error:
                _log.warning("publish_failed", exc_info=error)
                break
        if not futures:
            return []
        done, _ = await asyncio.wait(futures, timeout=PUBLISH_SECONDS)
        stored = []
        for message, future in zip(messages, futures, strict=False):
            if future in done and not future.cancelled() and future.exception() is None:
                stored.append(message.msg_id)
                NATS_PUBLISHED.labels(future.result().stream).inc()
        return stored

    async def send(self, subject: str, payload: bytes) -> None:
        """Publish on core NATS: seen by who listens now, and by nobody else."""
        await self.nc.publish(subject, payload)

    async def consumer(self, spec: ConsumerSpec) -> PullConsumer:
        """Bind to a durable consumer that `platformctl streams apply` made; raises StartError where it is missing."""
        try:
            config = (await self.js.consumer_info(spec.stream, spec.durable)).config
        except APIError:
            raise StartError(f"consumer {spec.durable} does not exist: run `platformctl streams apply`") from None
        return PullConsumer(self.js, spec, config.ack_wait or float(spec.ack_wait_seconds))

    async def check(self) -> None:
        """Raise where JetStream does not answer. No flush(): one that times out leaves nats-py deaf for good."""
        if not self.nc.is_connected:
            raise ConnectionError("not connected")
        await self.js.account_info()

    async def close(self) -> None:
        """Send what is buffered, and close."""
        await (self.nc.drain() if self.nc.is_connected else self.nc.close())


def _headers(message: Outgoing) -> dict[str, str]:
    return {**tracing.inject({}), **message.headers, MESSAGE_ID: message.msg_id}


async def connect(url: str, name: str, life: Life, patience_seconds: float = 10.0) -> Bus:
    """Connect, and reconnect for the life of the process; raises StartError where no server answers at first."""

    async def lost() -> None:
        _log.warning("nats_disconnected")

    async def back() -> None:
        _log.info("nats_reconnected")

    async def failed(error: Exception) -> None:
        # While the server is away each attempt to reach it is an error: nats_disconnected has said so once.
        (_log.debug if isinstance(error, OSError) else _log.warning)("nats_error", exc_info=error)

    try:
        client = await asyncio.wait_for(nats.connect(
            url, name=name, allow_reconnect=True, max_reconnect_attempts=-1, reconnect_time_wait=0.25,
            connect_timeout=5, drain_timeout=10, pending_size=8 * 1024 * 1024,
            disconnected_cb=lost, reconnected_cb=back, error_cb=failed,
        ), patience_seconds)  # fmt: skip
    except (*UNAVAILABLE, nats.errors.NoServersError):
        raise StartError("NATS does not answer: start it, or set NATS_URL") from None
    bus = Bus(client)
    life.readiness.add("nats", bus.check)
    life.on_close(bus.close)
    return bus
