"""What the coach writes first, while a person talks in the terminal or says nothing."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from platformctl.chat.session import ChatError, Session, SessionFile, open_session

RETRY_SECONDS = 1.0
OPEN_SECONDS = 15.0
STOP_SECONDS = 5.0
Message = dict[str, Any]


class Unasked:
    """Tells each message that belongs to no turn once, from a thread of its own; `tell` must bear that."""

    def __init__(self, url: str, file: SessionFile, tell: Callable[[str], None]) -> None:
        self._url, self._file, self._tell = url.rstrip("/"), file, tell
        self._known: set[str] | None = None  # message ids; None until the history was read

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen while the context is open."""
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._listen())
        thread = threading.Thread(target=_run, args=(loop, task), daemon=True)
        thread.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(STOP_SECONDS)

    async def _listen(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=OPEN_SECONDS) as client:
            while True:
                # Whatever fails is told by the conversation itself; here it is only tried again. Without a cookie
                # nobody is somebody yet: two first sessions at once would be two guests.
                with contextlib.suppress(ChatError, OSError, WebSocketException, httpx.HTTPError, ValueError):
                    if self._file.cookie(self._url):
                        await self._hear(client, await open_session(client, self._url, self._file))
                await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self, client: httpx.AsyncClient, session: Session) -> None:
        async with connect(session.socket_url, open_timeout=OPEN_SECONDS, proxy=None) as socket:
            await socket.send(json.dumps({"type": "hello", "token": session.token}))
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "ready":
                    self._catch_up(await _history(client, session))
                elif frame["type"] == "message":
                    self._show([frame])

    def _catch_up(self, messages: Sequence[Message]) -> None:
        """Show what came meanwhile; at first, what came since the person last wrote."""
        if self._known is None:
            places = [place for place, message in enumerate(messages) if message["role"] == "person"]
            self._known = {message["message_id"] for message in messages[: places[-1] + 1 if places else 0]}
        self._show([message for message in messages if message["role"] == "coach"])

    def _show(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if not message["turn_id"] and self._known is not None and message["message_id"] not in self._known:
                self._known.add(message["message_id"])
                self._tell(message["text"])


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


async def _history(client: httpx.AsyncClient, session: Session) -> list[Message]:
    answer = await client.get(f"{session.url}/v1/messages", headers={"Authorization": f"Bearer {session.token}"})
    answer.raise_for_status()
    messages: list[Message] = answer.json()["messages"]
    return messages
