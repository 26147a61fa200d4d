"""One question and its answer over the chat socket, surviving a lost connection."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from platformctl.chat.session import ChatError, Session, SessionFile, open_session, problem

RETRY_SECONDS = 1.0
OPEN_SECONDS = 15.0
Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the coach said. `source` is model, or what answered in its place: template, command, crisis."""

    text: str
    source: str


@dataclass(slots=True)
class Hearing:
    """What is told while the answer comes."""

    delta: Callable[[str], None]
    status: Callable[[str], None]


class Conversation:
    """Talks as one guest with the platform at `url`."""

    def __init__(self, url: str, file: SessionFile, timeout_seconds: float) -> None:
        self._url, self._file, self._timeout_seconds = url.rstrip("/"), file, timeout_seconds

    async def ask(self, text: str, hearing: Hearing) -> Answer:
        """Send one message and wait for its answer. Raises ChatError."""
        client_id = str(uuid4())
        deadline = time.monotonic() + self._timeout_seconds
        async with httpx.AsyncClient(trust_env=False, timeout=OPEN_SECONDS) as client:
            attempt = 0
            while (left := deadline - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left):
                        return await self._attempt(client, client_id, text, hearing, again=attempt > 0)
                except TimeoutError:
                    break
                except (OSError, WebSocketException):  # lost: what was sent is stored, and sending it again is safe
                    attempt += 1
                    hearing.status("the connection was lost; coming back")
                    await asyncio.sleep(RETRY_SECONDS)
        raise ChatError(
            f"No answer within {self._timeout_seconds:.0f} s. The message may be answered later; "
            "look at `platformctl status`."
        )

    async def _attempt(
        self, client: httpx.AsyncClient, client_id: str, text: str, hearing: Hearing, *, again: bool
    ) -> Answer:
        session = await open_session(client, self._url, self._file)
        async with connect(session.socket_url, open_timeout=OPEN_SECONDS, proxy=None) as socket:
            await _send(socket, type="hello", token=session.token)
            await _until(socket, "ready")
            if again and (answer := await _answer_in_history(client, session, client_id)):
                return answer
            await _send(socket, type="message", id=client_id, text=text)
            return await self._listen(client, session, socket, client_id, hearing)

    async def _listen(
        self, client: httpx.AsyncClient, session: Session, socket: ClientConnection, client_id: str, hearing: Hearing
    ) -> Answer:
        while True:
            frame = await _receive(socket)
            if frame["type"] == "delta":
                hearing.delta(str(frame.get("text", "")))
            elif frame["type"] == "status":
                _tell(frame, hearing)
            elif (
                # What belongs to no turn was written unasked: it is nobody's answer.
                frame["type"] == "message"
                and frame.get("turn_id")
                and (answer := await _answer_in_history(client, session, client_id))
            ):
                return answer


async def _send(socket: ClientConnection, **frame: str) -> None:
    await socket.send(json.dumps(frame))


async def _receive(socket: ClientConnection) -> Frame:
    """The next frame. Raises ChatError for a refusal."""
    frame = json.loads(await socket.recv())
    if not isinstance(frame, dict) or "type" not in frame:
        raise ChatError("The platform sent something that is not of the chat's protocol.")
    if frame["type"] == "error":
        raise ChatError(f"The platform refused: {frame.get('message', frame.get('code', 'no reason given'))}")
    return frame


async def _until(socket: ClientConnection, kind: str) -> None:
    while (await _receive(socket))["type"] != kind:
        pass


async def _answer_in_history(client: httpx.AsyncClient, session: Session, client_id: str) -> Answer | None:
    """The coach's message of the turn that took our message in; None while there is none."""
    answer = await client.get(f"{session.url}/v1/messages", headers={"Authorization": f"Bearer {session.token}"})
    if answer.is_error:
        raise ChatError(f"The conversation cannot be read: {problem(answer)}")
    messages = answer.json()["messages"]
    turn = next((message["turn_id"] for message in messages if message.get("client_id") == client_id), None)
    texts = [message for message in messages if turn and message["turn_id"] == turn and message["role"] == "coach"]
    return Answer("\n\n".join(message["text"] for message in texts), texts[-1]["source"]) if texts else None


def _tell(frame: Frame, hearing: Hearing) -> None:
    if frame.get("ahead"):
        hearing.status(f"{frame['ahead']} others are before you")
