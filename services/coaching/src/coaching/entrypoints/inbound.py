"""From the bytes of INBOUND to our own words; what cannot be read is told apart from what is merely empty."""

import re
from datetime import datetime
from uuid import UUID

from google.protobuf.message import DecodeError

from coaching.domain.deliveries import State
from coaching.domain.ids import OrganizationId
from coaching.domain.inbound import FileReference, InboundEvent, InboundOptOut, InboundReceipt, InboundText
from contracts.events.v1 import events_pb2
from kit.clock import Clock

MAX_TEXT = 16_000  # characters; the longest that a channel carries is 4096 (Telegram) to 16,000 (web)
MAX_ID = 512
MAX_FILES = 20
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context, section 3.2
_WORD = re.compile(r"[A-Za-z0-9_-]{1,128}")
_RECEIPTS = {"delivered": State.DELIVERED, "read": State.READ, "failed": State.FAILED}


class UnreadableError(ValueError):
    """An event that no later attempt could read; the text names the field, and holds nothing of it."""


def read(payload: bytes, clock: Clock, trace: str = "") -> InboundEvent:
    """Return the event in `payload`, which came with the traceparent `trace`; raises UnreadableError."""
    try:
        event = events_pb2.InboundEvent.FromString(payload)
    except DecodeError:
        raise UnreadableError("payload") from None
    organization_id = _organization(event.organization_id)
    _require(_WORD.fullmatch(event.channel) is not None, "channel")
    _require(_WORD.fullmatch(event.account) is not None, "account")
    received_at = event.received_at.ToDatetime(tzinfo=clock.now().tzinfo) if event.HasField("received_at") else None
    received_at = received_at or clock.now()
    match event.WhichOneof("body"):
        case "text":
            return _text(event, organization_id, received_at, trace if _TRACE.fullmatch(trace) else "")
        case "receipt":
            return _receipt(event, organization_id, received_at)
        case "opt_out":
            sender = _identifier(event.sender_id, "sender_id")
            return InboundOptOut(organization_id, event.channel, event.account, sender, received_at)
    raise UnreadableError("body")


def _text(
    event: events_pb2.InboundEvent, organization_id: OrganizationId, received_at: datetime, trace: str
) -> InboundText:
    sent_at = event.sent_at.ToDatetime(tzinfo=received_at.tzinfo) if event.HasField("sent_at") else received_at
    return InboundText(
        organization_id=organization_id,
        channel=event.channel,
        account=event.account,
        event_id=_identifier(event.event_id, "event_id"),
        sender_id=_identifier(event.sender_id, "sender_id"),
        address=_identifier(event.address, "address"),
        order=event.order,
        # PostgreSQL holds no NUL in a text.
        text=event.text.text.replace("\0", "")[:MAX_TEXT],
        locale=event.text.locale.replace("\0", "")[:35],  # the longest well-formed tag of RFC 5646, section 4.4.1
        sent_at=sent_at,
        files=tuple(_file(file) for file in event.text.files[:MAX_FILES]),
        trace=trace,
    )


def _file(file: events_pb2.FileReference) -> FileReference:
    _require(not file.sha256 or re.fullmatch(r"[0-9a-f]{64}", file.sha256) is not None, "files.sha256")
    words = (file.media_type, file.kind, file.reason)
    media_type, kind, reason = (word.replace("\0", "")[:128] for word in words)
    return FileReference(file.sha256, media_type, min(file.size_bytes, 2**62), kind, reason)


def _receipt(event: events_pb2.InboundEvent, organization_id: OrganizationId, received_at: datetime) -> InboundReceipt:
    state = _RECEIPTS.get(event.receipt.state)
    if state is None:
        raise UnreadableError("receipt.state")
    reason = event.receipt.reason if _WORD.fullmatch(event.receipt.reason) else ""
    provider_id = _identifier(event.receipt.provider_message_id, "receipt.provider_message_id")
    return InboundReceipt(organization_id, event.channel, event.account, provider_id, state, reason, received_at)


def _organization(value: str) -> OrganizationId:
    try:
        return OrganizationId(str(UUID(value)))
    except ValueError:
        raise UnreadableError("organization_id") from None


def _identifier(value: str, field: str) -> str:
    _require(0 < len(value) <= MAX_ID and "\0" not in value, field)
    return value


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise UnreadableError(field)
