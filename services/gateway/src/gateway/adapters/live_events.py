"""Live events over core NATS: one subscription for each open socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.events.v1.events_pb2 import LiveEvent as LiveEventMessage
from gateway.domain.conversation import (
    WEB_ACCOUNT,
    WEB_CHANNEL,
    Delta,
    LiveEvent,
    Role,
    Status,
    StoredMessage,
)  # fmt: skip
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from kit.log import get_logger

ANSWER_SECONDS = 2.0
RETRY_SECONDS = 2

log = get_logger("gateway.live")


def subject_of(guest_id: GuestId) -> str:
    """Return the subject of a guest's conversation; the address in hex, so that any address is one token."""
    return f"live.{WEB_CHANNEL}.{WEB_ACCOUNT}.{guest_id.encode().hex()}"


def decode(data: bytes) -> LiveEvent | None:
    """Return the event, or None for one that a newer coaching sends and this gateway does not know."""
    try:
        message = LiveEventMessage.FromString(data)
    except DecodeError:
        return None
    kind = message.WhichOneof("body")
    if kind == "status":
        return Status(message.turn_id, message.status.state, message.status.ahead)
    if kind == "delta":
        return Delta(message.turn_id, message.delta.text, message.delta.index)
    if kind == "message":
        final = message.message
        return StoredMessage(
            message_id=final.message_id,
            role=Role.COACH,
            text=final.text,
            created_at=final.created_at.ToDatetime(UTC),
            turn_id=message.turn_id,
            source=final.source,
        )
    return None


class NatsLiveEvents:
    """Implements LiveEvents."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @asynccontextmanager
    async def listen(self, guest_id: GuestId, sink: Callable[[LiveEvent], None]) -> AsyncIterator[None]:
        """Subscribe, and make sure that the server knows of it before the page is told "ready"."""

        async def received(message: Msg) -> None:
            event = decode(message.data)
            if event is None:
                log.warning("live_event_unknown", size_bytes=len(message.data))
            else:
                sink(event)

        try:
            subscription = await self._client.subscribe(subject_of(guest_id), cb=received)
            # The answer to a later request shows it. No flush(): one that times out leaves nats-py deaf for good.
            await self._client.jetstream(timeout=ANSWER_SECONDS).account_info()
        except (nats.errors.Error, OSError, TimeoutError):
            raise Refused(Reason.UNAVAILABLE, RETRY_SECONDS) from None
        try:
            yield
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()
