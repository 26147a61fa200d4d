"""What a guest and the coach say to each other, as the gateway knows it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.refusals import Reason, Refused

WEB_CHANNEL = "web"
WEB_ACCOUNT = "default"
MAX_TEXT_CHARACTERS = 4_096  # about two pages, and what the web channel takes
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")  # the BCP 47 tags that browsers send
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # control characters; PostgreSQL cannot store the first


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A guest's message, checked; `client_id` is the page's own id, by which sending it again is safe."""

    client_id: str
    text: str
    locale: str = ""


class Role(StrEnum):
    """Who said it."""

    PERSON = "person"
    COACH = "coach"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as coaching recorded it."""

    message_id: str
    role: Role
    text: str
    created_at: datetime
    turn_id: str = ""
    source: str = ""  # coach's: model, template, crisis, command
    client_id: str = ""  # person's: the id that the page gave it
    file_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """One page of a conversation, oldest first."""

    messages: tuple[StoredMessage, ...]
    has_more: bool
    turn_open: bool


@dataclass(frozen=True, slots=True)
class Status:
    """A turn is waiting behind `ahead` others (queued), or being worked on (thinking)."""

    turn_id: str
    state: str
    ahead: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A checked sentence of a reply that is still being made; `index` counts from 0 within the turn."""

    turn_id: str
    text: str
    index: int


LiveEvent = Status | Delta | StoredMessage


def check_text(text: str) -> str:
    """Return the text as it is sent on. Raises Refused where it is empty, too long, or not Unicode text."""
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Refused(Reason.TEXT_TOO_LONG)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(Reason.TEXT_INVALID) from None  # half a surrogate pair, which JSON can carry
    cleaned = UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not cleaned:
        raise Refused(Reason.TEXT_EMPTY)
    return cleaned


def preferred_language(accept_language: str) -> str:
    """Return the first language tag of an Accept-Language header, or "" where there is none that we understand."""
    tag = accept_language.split(",", 1)[0].split(";", 1)[0].strip()
    return tag if LANGUAGE.fullmatch(tag) else ""
