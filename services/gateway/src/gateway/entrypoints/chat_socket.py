"""One chat socket. It shows what happens; what was said is in the history, so losing a socket loses nothing."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.app.limits import Limits
from gateway.app.metrics import CHAT_CLOSED
from gateway.app.ports import LiveEvents
from gateway.app.send_message import SendMessage
from gateway.app.sessions import Sessions
from gateway.domain.addresses import Surroundings
from gateway.domain.conversation import LiveEvent, OutgoingMessage, check_text, preferred_language
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import Session
from gateway.entrypoints import frames
from kit.clock import Clock

EXPIRING_NOTICE = timedelta(seconds=60)  # or a fifth of what is left of the token, where that is shorter
GOODBYE_SECONDS = 1.0  # a peer that reads nothing does not read our goodbye either


class Close(IntEnum):
    """Why the gateway closes a socket (RFC 6455, 7.4; from 4000 on ours, the last digits an HTTP status)."""

    RESTART = 1012  # come back at once: another replica, or the next version, answers
    LATER = 1013  # too slow a reader, too many sockets, or a part is away: come back after a pause
    MALFORMED = 4400
    UNAUTHORIZED = 4401
    HELLO_MISSING = 4408
    LIMITED = 4429


CLOSE_BY_REASON = {
    Reason.INVALID: Close.MALFORMED,
    Reason.UNAUTHORIZED: Close.UNAUTHORIZED,
    Reason.RATE_LIMITED: Close.LIMITED,
}


class Leaving(Exception):  # noqa: N818  # reads as what happens: raise Leaving(Close.RESTART)
    """Ends a socket with a code."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class ChatParts:
    """What a socket works with."""

    sessions: Sessions
    send_message: SendMessage
    limits: Limits
    live: LiveEvents
    surroundings: Surroundings
    address_key: bytes
    clock: Clock
    queue_frames: int
    hello_seconds: float


class ChatSocket:
    """Reads, writes and watches the token, side by side."""

    def __init__(self, websocket: WebSocket, parts: ChatParts, address: str) -> None:
        self._websocket = websocket
        self._parts = parts
        self._address = address
        self._locale = preferred_language(websocket.headers.get("accept-language", ""))
        self._outgoing: asyncio.Queue[frames.Frame] = asyncio.Queue(parts.queue_frames)
        self._end: asyncio.Future[Close] = asyncio.get_running_loop().create_future()
        self._renewed = asyncio.Event()
        self._expires_at = parts.clock.now()

    def leave(self, code: Close) -> None:
        """End the socket soon, from any code of this loop."""
        if not self._end.done():
            self._end.set_result(code)

    async def run(self) -> None:
        """Serve the page until either side leaves."""
        try:
            await first_of(self._talk(), self._watch_end())
        except Leaving as leaving:
            await self._goodbye(leaving.code)
        except Refused as refused:
            code = CLOSE_BY_REASON.get(refused.reason, Close.LATER)
            await self._goodbye(code, frames.error(refused.reason, refused.retry_after))
        except WebSocketDisconnect:
            return

    async def _talk(self) -> None:
        session = await self._hello()
        await self._parts.limits.check_request(self._address)
        async with self._parts.live.listen(session.guest_id, self._show_live):
            self._show(frames.ready(session.guest_id))
            self._expires_at = session.expires_at
            await first_of(self._read(session), self._write(), self._watch_token())

    async def _hello(self) -> Session:
        try:
            async with asyncio.timeout(self._parts.hello_seconds):
                frame = await self._receive()
        except TimeoutError:
            raise Leaving(Close.HELLO_MISSING) from None
        if not isinstance(frame, frames.Hello):
            raise Refused(Reason.INVALID)
        return self._parts.sessions.authenticate(frame.token)

    async def _receive(self) -> frames.ClientFrame:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        return frames.parse(message.get("text") or "")

    async def _read(self, session: Session) -> None:
        while True:
            frame = await self._receive()
            if isinstance(frame, frames.Hello):
                renewed = self._parts.sessions.authenticate(frame.token)
                if renewed.guest_id != session.guest_id:
                    raise Refused(Reason.UNAUTHORIZED)
                self._expires_at = renewed.expires_at
                self._renewed.set()
                self._show(frames.ready(session.guest_id))
            else:
                await self._take(session, frame)

    async def _take(self, session: Session, message: frames.ClientMessage) -> None:
        client_id = str(message.id)
        try:
            outgoing = OutgoingMessage(client_id, check_text(message.text), self._locale)
            await self._parts.send_message(session.guest_id, outgoing, self._address)
        except Refused as refused:
            self._show(frames.error(refused.reason, refused.retry_after, client_id))
        else:
            self._show(frames.accepted(client_id))

    async def _write(self) -> None:
        while True:
            frame = await self._outgoing.get()
            await self._websocket.send_text(frame.text)

    async def _watch_token(self) -> None:
        while True:
            left = self._expires_at - self._parts.clock.now()
            notice = min(EXPIRING_NOTICE, left / 5)
            if await self._renewed_within(left - notice):
                continue
            self._show(frames.expiring())
            if not await self._renewed_within(notice):
                raise Refused(Reason.UNAUTHORIZED)

    async def _renewed_within(self, time: timedelta) -> bool:
        try:
            async with asyncio.timeout(max(0.0, time.total_seconds())):
                await self._renewed.wait()
        except TimeoutError:
            return False
        self._renewed.clear()
        return True

    async def _watch_end(self) -> None:
        raise Leaving(await self._end)

    def _show_live(self, event: LiveEvent) -> None:
        self._show(frames.live(event))

    def _show(self, frame: frames.Frame) -> None:
        """Queue a frame; a page that does not read fast enough comes back and reads the history."""
        try:
            self._outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            self.leave(Close.LATER)

    async def _goodbye(self, code: Close, frame: frames.Frame | None = None) -> None:
        CHAT_CLOSED.labels(code.name.lower()).inc()
        # Gone already, or too slow to be told: the server drops the connection after us.
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                if frame:
                    await self._websocket.send_text(frame.text)
                await self._websocket.close(code)


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one ends; end the others, and raise what that one raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
