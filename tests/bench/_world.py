"""The outside of a bench at next to no cost: people who write through webhooks, the Bot API, and a model.

Both sides of a measurement meet the same: hand-written HTTP/1.1 with keep-alive and Content-Length, no framework.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

HOST = "127.0.0.1"
BOTS = 64
PEOPLE = 1024
WORDS = "I hear you. That was a good walk. What would be one small step for tomorrow?".split()
SECRET = "webhook-secret-0123456789-abcdefgh"
PATIENCE_SECONDS = 60.0
MODEL = "scripted-7b"


def tokens() -> list[str]:
    """Return the bots' tokens."""
    return [f"{1000 + number}:AAE-token-of-a-bench-bot-0123456789abcd" for number in range(BOTS)]


@dataclass(slots=True)
class Round:
    """What a round came to: turns, the seconds that they took, and each turn's own."""

    turns: int = 0
    begun: float = 0.0
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.turns / (self.ended - self.begun)

    def milliseconds(self, share: float) -> float:
        """Return a quantile of the turns' times."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Answering(asyncio.Protocol):
    """A server's connection: whole requests in, one write for each."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes]) -> None:
        self._answer = answer
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (whole := _whole(self._rest)) is not None:
            head, body, self._rest = whole
            assert self._transport is not None
            self._transport.write(self._answer(head, body))


def _whole(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return head, body and what is left, or None while something is missing."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[:end]
    found = head.lower().find(b"content-length:")
    length = int(head[found + 15 :].split(b"\r\n", 1)[0]) if found >= 0 else 0
    if len(data) < end + 4 + length:
        return None
    return head, data[end + 4 : end + 4 + length], data[end + 4 + length :]


def _json_answer(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _streamed_answer() -> bytes:
    """Return a completion word by word, as a server sends it that streams faster than anybody reads."""

    def event(value: object) -> bytes:
        data = b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"
        return b"%x\r\n%b\r\n" % (len(data), data)

    def chunk(**value: object) -> bytes:
        return event({"object": "chat.completion.chunk", "model": MODEL, **value})

    words = [chunk(choices=[{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]) for word in WORDS]
    usage = {"prompt_tokens": 300, "completion_tokens": len(WORDS), "total_tokens": 300 + len(WORDS)}
    ends = [chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]), chunk(choices=[], usage=usage)]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return b"".join([head, *words, *ends, event(b"[DONE]"), b"0\r\n\r\n"])


class Writer(asyncio.Protocol):
    """One keep-alive connection to the door; `posted` is called when it has answered with 200."""

    def __init__(self, port: int, refused: Callable[[bytes], None]) -> None:
        self._port = port
        self._refused = refused
        self._rest = self._request = b""
        self._opening: asyncio.Task[None] | None = None
        self.posted: Callable[[], None] = lambda: None
        self.transport: asyncio.WriteTransport | None = None

    async def open(self) -> None:
        """Connect."""
        _ = await asyncio.get_running_loop().create_connection(lambda: self, HOST, self._port)

    def write(self, data: bytes) -> None:
        """Send a request; where the server closes an idle connection in this moment, once more, as Telegram does."""
        self._request = data
        if self.transport is not None:
            self.transport.write(data)
        else:
            self._opening = asyncio.create_task(self.open())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        if self._request:
            self.transport.write(self._request)

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        if self._request:
            self.write(self._request)

    def close(self) -> None:
        """End the connection."""
        if self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (whole := _whole(self._rest)) is not None:
            head, _, self._rest = whole
            self._request = b""
            if head[9:12] == b"200":
                self.posted()
            else:
                self._refused(head)


@dataclass(slots=True)
class Open:
    """A turn on its way: it is over when the door has answered and the Bot API has the reply."""

    person: int
    begun: float
    writer: Writer
    missing: int = 2


class World:
    """The Bot API and the model on one port, and the people who write."""

    def __init__(self) -> None:
        self.port = 0
        self.doubles = 0
        self._numbers = 0
        self._completion = _streamed_answer()
        self._server: asyncio.Server | None = None
        self._idle = deque(range(700_001, 700_001 + PEOPLE))
        self._open: dict[int, Open] = {}
        self._round = Round()
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(partial(Answering, self._answer), HOST, 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def writers(self, port: int, number: int) -> list[Writer]:
        """Open connections to a door."""
        found = [Writer(port, self._refused) for _ in range(number)]
        _ = await asyncio.gather(*(writer.open() for writer in found))
        return found

    async def round(self, writers: list[Writer], turns: int) -> Round:
        """Let people write, one after the other on each connection, until `turns` are answered."""
        self._round = Round(turns, time.perf_counter())
        self._left = turns
        self._done = asyncio.get_running_loop().create_future()
        for writer in writers:
            self._write(writer)
        try:
            await asyncio.wait_for(self._done, PATIENCE_SECONDS)
        except TimeoutError:
            raise RuntimeError(f"{len(self._open) + self._left} of {turns} turns were not answered") from None
        self._round.ended = time.perf_counter()
        return self._round

    def _write(self, writer: Writer) -> None:
        if not self._left:
            if not self._open and self._done is not None and not self._done.done():
                self._done.set_result(None)
            return
        self._left -= 1
        self._numbers += 1
        person = self._idle.popleft()
        turn = self._open[person] = Open(person, time.perf_counter(), writer)
        writer.posted = lambda: self._progress(turn)
        writer.write(self._update(person))

    def _update(self, person: int) -> bytes:
        number = self._numbers
        body = (
            f'{{"update_id":{number},"message":{{"message_id":{number},"date":{int(time.time())},'
            f'"chat":{{"id":{person},"type":"private","first_name":"Anna"}},'
            f'"from":{{"id":{person},"is_bot":false,"first_name":"Anna","language_code":"en"}},'
            f'"text":"I went for a walk this morning, number {number}, and it felt good until it began to rain."}}}}'
        ).encode()
        head = (
            f"POST /webhooks/telegram/{1000 + person % BOTS} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _progress(self, turn: Open) -> None:
        turn.missing -= 1
        if not turn.missing:
            del self._open[turn.person]
            self._idle.append(turn.person)
            self._write(turn.writer)

    def _refused(self, head: bytes) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(RuntimeError(f"the door answered {head[9:12].decode()}"))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/sendMessage"):
            self._delivered(int(json.loads(body)["chat_id"]))
            return _json_answer({"ok": True, "result": {"message_id": self._numbers}})
        if path.endswith(b"/chat/completions"):
            return self._completion
        if path.endswith(b"/getMe"):
            return _json_answer({"ok": True, "result": {"id": int(path[4:].split(b":")[0]), "is_bot": True}})
        if path.endswith(b"/models"):
            return _json_answer({"data": [{"id": MODEL, "max_model_len": 8192}]})
        return _json_answer({"ok": True, "result": True})

    def _delivered(self, person: int) -> None:
        turn = self._open.get(person)
        if turn is None:
            self.doubles += 1
            return
        self._round.latencies.append(time.perf_counter() - turn.begun)
        self._progress(turn)
