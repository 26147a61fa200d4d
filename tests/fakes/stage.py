"""A gateway with a scripted coach in a thread of its own, for a browser to talk to; it can go away and come back."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.gateway_door import Door
from fakes.scripted_coach import ScriptedCoach
from gateway.domain.conversation import Role, StoredMessage
from gateway.domain.sessions import GuestId
from support.background import BackgroundLoop
from support.ports import free_port


class Stage:
    """`open` and `close` as often as wanted; sessions and what was said stay."""

    def __init__(self, loop: BackgroundLoop) -> None:
        self._loop = loop
        self._port = free_port()
        self._serving: AbstractAsyncContextManager[str] | None = None
        self.door = Door()
        self.coach = ScriptedCoach(self.door)
        self.url = f"http://127.0.0.1:{self._port}"

    def open(self, **settings: Any) -> None:
        """Serve."""
        assert self._serving is None
        serving = self.door.serving(self._port, **settings)
        self._loop.run(_enter(serving))
        self._serving = serving

    def write_first(self, guest_id: GuestId, text: str, source: str = "model", minutes_ago: int = 0) -> StoredMessage:
        """Let the coach write unasked: stored, and heard by the page if it listens."""
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        message = self.door.conversations.add(guest_id, text, Role.COACH, source, created_at=at)
        self._loop.call(lambda: self.door.live.emit(guest_id, message))
        return message

    def close(self) -> None:
        """Stop serving, as a process that is told to stop does."""
        if self._serving is not None:
            serving, self._serving = self._serving, None
            self._loop.run(_leave(serving))


async def _enter(manager: AbstractAsyncContextManager[str]) -> str:
    return await manager.__aenter__()


async def _leave(manager: AbstractAsyncContextManager[str]) -> None:
    await manager.__aexit__(None, None, None)
