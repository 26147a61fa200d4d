"""Events to INBOUND, finished messages to connected pages, what nobody can use to DEADLETTER."""

from collections.abc import Sequence, Set
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from channel_adapter.domain.delivery import Outbound, Problem, ProviderError
from channel_adapter.domain.messages import Event, KeptFile, OptOut, PersonText, Receipt
from contracts.events.v1 import events_pb2 as pb
from kit.consumer import UNAVAILABLE
from kit.jetstream import Bus, Outgoing

DEADLETTER_SUBJECT = "deadletter.channel-adapter"


def live_subject(channel: str, account: str, address: str) -> str:
    """Return where a chat's live events are published; an address may hold any character, so it travels in hex."""
    return f"live.{channel}.{account}.{address.encode().hex()}"


class InboundStream:
    """The INBOUND stream."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, events: Sequence[Event]) -> Set[str]:
        return set(await self._bus.publish_window([_outgoing(event) for event in events]))


class LivePages:
    """Core NATS: who has the page open sees the message at once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def show(self, message: Outbound) -> None:
        final = pb.FinalMessage(
            message_id=message.message_id,
            text=message.text,
            source=message.source,
            created_at=_timestamp(message.created_at),
        )
        event = pb.LiveEvent(turn_id=message.turn_id, message=final)
        subject = live_subject(message.channel, message.account, message.address)
        try:
            await self._bus.send(subject, event.SerializeToString())
        except UNAVAILABLE:
            raise ProviderError(Problem.UNREACHABLE) from None


class DeadLetterStream:
    """The DEADLETTER stream."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def keep(self, payload: bytes, unique_id: str) -> bool:
        return bool(await self._bus.publish_window([Outgoing(DEADLETTER_SUBJECT, payload, unique_id)]))


def _outgoing(event: Event) -> Outgoing:
    subject = f"inbound.{event.channel}.{event.account}"
    trace = {"traceparent": event.traceparent} if event.traceparent else {}
    return Outgoing(subject, encode(event).SerializeToString(), event.unique_id, trace)


def encode(event: Event) -> pb.InboundEvent:
    """Return the event as it travels."""
    incoming = event.incoming
    message = pb.InboundEvent(
        organization_id=event.organization_id,
        channel=event.channel,
        account=event.account,
        event_id=incoming.event_id,
        received_at=_timestamp(event.received_at),
        sender_id=incoming.sender_id,
        address=incoming.address,
        order=incoming.order,
    )
    if incoming.sent_at is not None:
        message.sent_at.CopyFrom(_timestamp(incoming.sent_at))
    match incoming.body:
        case PersonText(text=text, locale=locale):
            message.text.CopyFrom(pb.TextMessage(text=text, files=[_file(file) for file in event.files], locale=locale))
        case Receipt(provider_message_id=provider_id, state=state, reason=reason):
            message.receipt.CopyFrom(pb.DeliveryReceipt(provider_message_id=provider_id, state=state, reason=reason))
        case OptOut(reason=reason):
            message.opt_out.CopyFrom(pb.ChannelOptOut(reason=reason))
    return message


def _file(file: KeptFile) -> pb.FileReference:
    return pb.FileReference(
        sha256=file.sha256,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        kind=file.kind.value,
        reason=file.reason.value if file.reason else "",
    )


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
