"""The web page as a channel: the gateway brings messages of guests it has authenticated, answers go over core NATS."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channel_adapter.app.channel import ChannelKind, ChannelSettings, Connection, Outside
from channel_adapter.app.ports import Live
from channel_adapter.domain.abilities import Abilities
from channel_adapter.domain.delivery import Outbound
from channel_adapter.domain.messages import Incoming, Parsed, PersonText, RawRequest, RefusedError
from kit.clock import Clock

CHANNEL = "web"
ACCOUNT = "default"
# What fits on a page of writing; as much as the longest message of the other channels.
TEXT_CHARACTERS = 4096
GUEST = re.compile(r"[A-Za-z0-9_-]{1,64}")
ABILITIES = Abilities(
    text_limit=None,
    calls_provider=False,
    typing=False,
    polling=False,
    files=False,
    authenticated_sender=True,
)


class WebMessage(BaseModel):
    """What the page sends; `id` is the page's own, the same when it sends a message again."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    text: str
    locale: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,35}$")] = ""


class WebReceiver:
    """Messages of guests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def verify(self, request: RawRequest) -> None:
        if not GUEST.fullmatch(request.subject):
            raise RefusedError(401, "sender", "This channel takes messages of signed-in guests only.")

    def parse(self, request: RawRequest) -> Parsed:
        try:
            message = WebMessage.model_validate_json(request.body)
        except ValidationError:
            raise RefusedError(400, "malformed", "A message is JSON with an id and a text.") from None
        text = message.text.replace("\x00", "").strip()  # PostgreSQL's text cannot hold the null character
        if not text:
            raise RefusedError(400, "text_empty", "There is no text in this message.")
        if len(text) > TEXT_CHARACTERS:
            raise RefusedError(
                400, "text_too_long", f"A message may have {TEXT_CHARACTERS} characters; this one has {len(text)}."
            )
        now = self._clock.now()
        event = Incoming(
            event_id=f"{request.subject}:{message.id}",
            sender_id=request.subject,
            address=request.subject,
            order=int(now.timestamp() * 1_000_000),
            body=PersonText(text=text, locale=message.locale),
            sent_at=now,
        )
        return Parsed(events=(event,))


class WebSender:
    """Shows a message to the pages that are open; others read it from coaching when they connect."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def send(self, message: Outbound, part: str) -> str:
        del part  # the page takes any length: there is one part
        await self._live.show(message)
        return message.message_id


def open_page(settings: ChannelSettings, outside: Outside) -> Sequence[Connection]:
    """Return the one account that the web has."""
    del settings  # the web has no knobs of its own
    receiver = WebReceiver(outside.clock)
    return [Connection(CHANNEL, ACCOUNT, outside.organization_id, ABILITIES, receiver, WebSender(outside.live))]


KIND = ChannelKind(ABILITIES, ChannelSettings, open_page)
