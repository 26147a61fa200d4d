"""What the gateway needs from outside, in memory; `fakes.gateway_peers` serves the same over gRPC."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from gateway.domain.conversation import History, LiveEvent, Role, StoredMessage
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer, RawRequest
from kit.ids import new_id

Judge = Callable[[RawRequest], Answer]


def accept(_: RawRequest) -> Answer:
    return Answer(200, "application/json", b'{"ok":true}')


class FakeInbound:
    """Keeps what it receives; `judge` decides the answer, `broken` says how it fails, `seconds` how slow it is."""

    def __init__(self, judge: Judge = accept) -> None:
        self.judge = judge
        self.requests: list[RawRequest] = []
        self.broken: Reason | None = None
        self.seconds = 0.0
        self.busy = 0
        self.most_busy = 0

    async def receive(self, request: RawRequest, timeout_seconds: float) -> Answer:
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            return await self._receive(request, timeout_seconds)
        finally:
            self.busy -= 1

    async def _receive(self, request: RawRequest, timeout_seconds: float) -> Answer:
        if self.broken:
            raise Refused(self.broken, 5)
        await asyncio.sleep(min(self.seconds, timeout_seconds))
        if self.seconds > timeout_seconds:
            raise Refused(Reason.TIMED_OUT, 5)
        self.requests.append(request)
        return self.judge(request)

    def texts(self) -> list[str]:
        """Return the texts of the web channel's messages."""
        return [json.loads(request.body)["text"] for request in self.requests if request.channel == "web"]


class FakeConversations:
    """Keeps messages per guest, each a second after the one before."""

    def __init__(self) -> None:
        self.messages: dict[GuestId, list[StoredMessage]] = {}
        self.open_turns: set[GuestId] = set()
        self.broken: Reason | None = None
        self.seconds = 0.0
        self._now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def add(
        self, guest_id: GuestId, text: str, role: Role = Role.PERSON, source: str = "", client_id: str = "",
        turn_id: str = "", created_at: datetime | None = None,
    ) -> StoredMessage:  # fmt: skip
        self._now = created_at or self._now + timedelta(seconds=1)
        message = StoredMessage(new_id(), role, text, self._now, turn_id=turn_id, source=source, client_id=client_id)
        self.messages.setdefault(guest_id, []).append(message)
        return message

    async def history(self, guest_id: GuestId, before: str, limit: int, timeout_seconds: float) -> History:
        if self.broken:
            raise Refused(self.broken, 5)
        await asyncio.sleep(min(self.seconds, timeout_seconds))
        if self.seconds > timeout_seconds:
            raise Refused(Reason.TIMED_OUT, 5)
        known = self.messages.get(guest_id, [])
        ids = [message.message_id for message in known]
        earlier = known[: ids.index(before)] if before in ids else known
        return History(tuple(earlier[-limit:]), len(earlier) > limit, guest_id in self.open_turns)


class FakeLiveEvents:
    """Passes events on to whoever listens now."""

    def __init__(self) -> None:
        self.sinks: dict[GuestId, list[Callable[[LiveEvent], None]]] = {}
        self.broken: Reason | None = None

    def emit(self, guest_id: GuestId, event: LiveEvent) -> None:
        for sink in self.sinks.get(guest_id, []):
            sink(event)

    @asynccontextmanager
    async def listen(self, guest_id: GuestId, sink: Callable[[LiveEvent], None]) -> AsyncIterator[None]:
        if self.broken:
            raise Refused(self.broken, 5)
        self.sinks.setdefault(guest_id, []).append(sink)
        try:
            yield
        finally:
            self.sinks[guest_id].remove(sink)
