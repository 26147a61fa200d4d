"""The frames of the chat socket, both ways; all are JSON objects with a "type"."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway.domain.conversation import Delta, LiveEvent, Status
from gateway.domain.refusals import Reason, Refused
from gateway.entrypoints.problems import ADVICE

MAX_TOKEN_CHARACTERS = 4_096


class Hello(BaseModel):
    """The first frame, and again whenever the page has a new token."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["hello"]
    token: str = Field(max_length=MAX_TOKEN_CHARACTERS)


class ClientMessage(BaseModel):
    """A message to the coach; too long or empty texts are refused by name, not as a malformed frame."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["message"]
    id: UUID
    text: str


ClientFrame = Hello | ClientMessage
_CLIENT_FRAMES: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame for the page, as it is sent."""

    text: str


def parse(text: str) -> ClientFrame:
    """Return the page's frame; raises Refused(INVALID)."""
    try:
        return _CLIENT_FRAMES.validate_json(text)
    except (ValidationError, UnicodeEncodeError):
        raise Refused(Reason.INVALID) from None


def ready(guest_id: str) -> Frame:
    """The socket is open and listening; the page reads the history now."""
    return _frame("ready", guest_id=guest_id)


def accepted(client_id: str) -> Frame:
    """The message is stored."""
    return _frame("accepted", id=client_id)


def expiring() -> Frame:
    """The token ends soon; say hello with a new one."""
    return _frame("expiring")


def error(reason: Reason, retry_after: int = 0, client_id: str = "") -> Frame:
    """Something was refused; `id` names the message, where it was one."""
    advice = ADVICE[reason]
    members: dict[str, Any] = {
        "code": reason.value, "message": f"{advice.title}. {advice.detail_with(retry_after)}",
    }  # fmt: skip
    members |= {"retry_after": retry_after} if retry_after else {}
    members |= {"id": client_id} if client_id else {}
    return _frame("error", **members)


def live(event: LiveEvent) -> Frame:
    """What happens in the conversation."""
    if isinstance(event, Status):
        return _frame("status", turn_id=event.turn_id, state=event.state, ahead=event.ahead)
    if isinstance(event, Delta):
        return _frame("delta", turn_id=event.turn_id, index=event.index, text=event.text)
    return _frame(
        "message", message_id=event.message_id, turn_id=event.turn_id, text=event.text, source=event.source,
        created_at=event.created_at.isoformat(),
    )  # fmt: skip


def _frame(kind: str, **members: Any) -> Frame:
    return Frame(json.dumps({"type": kind, **members}, ensure_ascii=False))
