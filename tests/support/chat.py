"""The web channel as a page uses it: a guest session, then a WebSocket."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect

Frame = dict[str, Any]


class WebChat:
    """One guest. `frames` holds everything that the server sent, oldest first."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._url = url
        self.http = client or httpx.AsyncClient(base_url=url, timeout=30)
        self.frames: list[Frame] = []
        self.guest_id = ""
        self.token = ""
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        answer = await self.http.post("/v1/session")
        answer.raise_for_status()
        session = answer.json()
        self.guest_id, self.token = session["guest_id"], session["token"]
        self._socket = await connect(self._url.replace("http", "ws", 1) + "/v1/chat", origin=self._url)  # type: ignore[arg-type]  # a NewType of str
        await self._socket.send(json.dumps({"type": "hello", "token": self.token}))
        self._reader = asyncio.create_task(self._read())
        await self.wait(lambda frame: frame["type"] == "ready", 30)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.http.aclose()

    async def _read(self) -> None:
        assert self._socket is not None
        async for text in self._socket:
            async with self._news:
                self.frames.append(json.loads(text))
                self._news.notify_all()

    async def wait(self, wanted: Any, seconds: float = 60, count: int = 1) -> Frame:
        """Wait for the `count`-th frame for which `wanted(frame)` is true, and return it."""

        def found() -> list[Frame]:
            return [frame for frame in self.frames if wanted(frame)]

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: len(found()) >= count), seconds)
        return found()[count - 1]

    async def send(self, text: str, message_id: str | None = None) -> str:
        """Send one message without waiting; return its id."""
        assert self._socket is not None
        chosen = message_id or str(uuid4())
        await self._socket.send(json.dumps({"type": "message", "id": chosen, "text": text}))
        return chosen

    async def say(self, text: str, seconds: float = 120) -> Frame:
        """Send one message and return the coach's next whole answer."""
        before = len(self.answers())
        await self.send(text)
        return await self.wait(lambda frame: frame["type"] == "message", seconds, count=before + 1)

    def answers(self) -> list[Frame]:
        """Return the coach's whole answers so far."""
        return [frame for frame in self.frames if frame["type"] == "message"]

    async def history(self) -> list[dict[str, Any]]:
        """Return the stored conversation, oldest first."""
        answer = await self.http.get("/v1/messages", headers={"Authorization": f"Bearer {self.token}"})
        answer.raise_for_status()
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages
