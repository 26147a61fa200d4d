"""What came in: the raw request, the events in it, and the files that belong to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request of a provider as it came; header names in lower case."""

    channel: str
    account: str
    method: str
    headers: Mapping[str, str]
    query: str
    body: bytes
    subject: str
    """The sender's id where the gateway itself has authenticated it; empty for public webhooks."""
    traceparent: str = ""
    """The request's own trace context where it came in a list; else that of the call is the current one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the provider."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    events: int = 0
    retry_after_seconds: int = 0


class FileKind(StrEnum):
    """How the person sent a file."""

    PHOTO = "photo"
    DOCUMENT = "document"
    VOICE = "voice"


class FileRefusal(StrEnum):
    """Why a file was not kept; the message goes on without it."""

    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that the provider holds; `size_bytes` is 0 where the provider does not tell."""

    remote_id: str
    kind: FileKind
    media_type: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file in the file store, or the reason why it is not there."""

    kind: FileKind
    media_type: str
    size_bytes: int
    sha256: str = ""
    reason: FileRefusal | None = None


@dataclass(frozen=True, slots=True)
class PersonText:
    """What a person wrote; the text may be empty where files came."""

    text: str
    files: tuple[RemoteFile, ...] = ()
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the provider says about a message of ours."""

    provider_message_id: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OptOut:
    """The person left the channel itself."""

    reason: str


Body = PersonText | Receipt | OptOut


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a provider, in our words."""

    event_id: str
    sender_id: str
    address: str
    order: int
    body: Body
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one payload held."""

    events: tuple[Incoming, ...] = ()
    ignored: tuple[str, ...] = ()
    """Kinds that were left out on purpose, as words of a closed set."""
    presses: tuple[str, ...] = ()
    """Button presses that the provider wants acknowledged once the events are stored."""


@dataclass(frozen=True, slots=True)
class Event:
    """An incoming event as it goes to the stream: with its account, its organisation, and its files kept."""

    organization_id: str
    channel: str
    account: str
    received_at: datetime
    incoming: Incoming
    files: tuple[KeptFile, ...] = ()
    traceparent: str = ""
    """The trace that goes on with it, where that is not the current one."""

    @property
    def unique_id(self) -> str:
        """What makes a repetition recognisable, for ever: channel, account, and the provider's own id."""
        return f"{self.channel}:{self.account}:{self.incoming.event_id}"


class RefusedError(Exception):
    """A request that changes nothing; `reason` is a word of a closed set, `text` may be read by a person."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.text = text


class FileRefusedError(Exception):
    """The provider's file is not taken, for a reason that the person can be told."""

    def __init__(self, reason: FileRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason
