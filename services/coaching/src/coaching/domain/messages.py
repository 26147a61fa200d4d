"""Stored messages and people as they are listed for others."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """One message of a conversation."""

    message_id: str
    by_person: bool
    text: str
    created_at: datetime
    turn_id: str
    source: str
    file_names: tuple[str, ...]
    event_id: str


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages oldest first; has_more: there are older ones."""

    messages: tuple[ListedMessage, ...]
    has_more: bool
    turn_open: bool


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One person, for operators: no word of theirs."""

    person_id: str
    created_at: datetime
    last_message_at: datetime | None
    channels: tuple[str, ...]
    proactive_stopped: bool
    crisis_hold: bool
    messages: int


@dataclass(frozen=True, slots=True)
class MemoryText:
    """A text that the memory index holds."""

    organization_id: str
    person_id: str
    text_id: str
    text: str
    created_at: datetime
    by_person: bool
