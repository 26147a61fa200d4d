"""What channels tell us."""

from dataclasses import dataclass
from datetime import datetime

from coaching.domain.deliveries import State
from coaching.domain.ids import OrganizationId


@dataclass(frozen=True, slots=True)
class FileReference:
    """Content in the file store; without sha256 it was refused, and `reason` says why."""

    sha256: str
    media_type: str
    size_bytes: int
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InboundText:
    """Something a person wrote or sent."""

    organization_id: OrganizationId
    channel: str
    account: str
    event_id: str
    sender_id: str
    address: str
    order: int
    text: str
    locale: str
    sent_at: datetime
    files: tuple[FileReference, ...] = ()
    trace: str = ""  # the traceparent that it came with


@dataclass(frozen=True, slots=True)
class InboundReceipt:
    """A provider's later word on a delivery."""

    organization_id: OrganizationId
    channel: str
    account: str
    provider_message_id: str
    state: State
    reason: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class InboundOptOut:
    """The person left the channel itself."""

    organization_id: OrganizationId
    channel: str
    account: str
    sender_id: str
    received_at: datetime


InboundEvent = InboundText | InboundReceipt | InboundOptOut


# Channels whose page shows a reply while it is being written.
SHOWS_WORDS = frozenset({"web"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation is held; its live events go there."""

    channel: str
    account: str
    address: str

    @property
    def shows_words(self) -> bool:
        """Return whether anybody there can read a reply before it is complete."""
        return self.channel in SHOWS_WORDS
