"""What the adapter is told to send, as it travels on OUTBOUND."""

from dataclasses import dataclass
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from coaching.app.ports import Spoken
from coaching.domain.dispatching import Place
from coaching.domain.ids import MessageId
from coaching.domain.turn import TurnRecord
from contracts.events.v1 import events_pb2


@dataclass(frozen=True, slots=True)
class Sent:
    """A recorded turn's reply with the ids that the record gave it."""

    record: TurnRecord
    message_id: MessageId
    delivery_id: str
    at: datetime


def subject(sent: Sent) -> str:
    """Return the subject of a reply; proactive messages have their own, so that no reply queues behind them."""
    return f"outbound.reply.{sent.record.opened.conversation.channel}"


def message(sent: Sent) -> bytes:
    """Return the OutboundMessage of a reply."""
    opened, reply = sent.record.opened, sent.record.reply
    at = opened.conversation
    found = events_pb2.OutboundMessage(
        organization_id=opened.claim.organization_id,
        delivery_id=sent.delivery_id,
        channel=at.channel,
        account=at.account,
        address=at.address,
        text=reply.text,
        message_id=sent.message_id,
        turn_id=opened.turn_id,
        source=reply.source.value,
    )
    found.created_at.FromDatetime(sent.at)
    return found.SerializeToString()


def nudge(organization_id: str, place: Place, words: Spoken, at: Timestamp, not_after: Timestamp) -> bytes:
    """Return the OutboundMessage of a proactive message."""
    found = events_pb2.OutboundMessage(
        organization_id=organization_id,
        delivery_id=words.delivery_id,
        channel=place.channel,
        account=place.account,
        address=place.address,
        text=words.text,
        message_id=words.message_id,
        source=words.source,
        created_at=at,
        not_after=not_after,
    )
    return found.SerializeToString()


def stamp(at: datetime) -> Timestamp:
    """Return a time as messages hold it."""
    found = Timestamp()
    found.FromDatetime(at)
    return found
