"""A scripted model behind OpenAI's chat completions: for tests, and as a process of its own.

    async with ScriptedModel(reply="Good morning.", delay_seconds=0.2) as model: ...   # model.url is OPENAI_BASE_URL
    python tests/fakes/openai_server.py --port 8090 --delay-ms 200 --reply "Good morning."

It streams word by word, obeys stop texts, max_tokens and JSON schemas, counts tokens (one a word), notices a caller who
leaves, and fails on demand. It uses the standard library alone.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

Failure = Literal["", "status", "hang", "cut", "malformed", "error"]
WORDS = re.compile(r"\S+\s*|\s+")
MODEL = "scripted-7b"


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. `failure`: answer `status`; say nothing; break off, send nonsense or an error after two words."""

    text: str = "I hear you. What would be one small step?"
    delay_seconds: float = 0.0
    first_delay_seconds: float = 0.0
    failure: Failure = ""
    status: int = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; `text` is the last message, `schema` None: free text was asked for."""

    body: dict[str, Any]
    headers: dict[str, str]
    text: str
    schema: dict[str, Any] | None
    stop: Sequence[str] = ()
    max_tokens: int = 256


Script = Callable[[Asked], Reply | str]


@dataclass(slots=True)
class Answer:
    """What streaming an answer came to."""

    words: list[str]
    reason: str


class ModelServer:
    """HTTP for scripted models: one request a connection. Subclasses speak a dialect."""

    model = MODEL

    def __init__(
        self, script: Script | None = None, host: str = "127.0.0.1", port: int = 0, model: str = "", **reply: Any
    ) -> None:
        """`script` decides each reply; without it every reply is `Reply(**reply)`."""
        self.model = model or self.model
        self.script: Script = script or (lambda _: Reply(**reply))
        self.asked: list[Asked] = []
        self.left = 0  # callers who closed the connection before the end
        self.running = 0
        self._host, self.port = host, port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base(self) -> str:
        return f"http://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve_forever(self) -> None:
        if self._server is not None:
            await self._server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            method, path, headers, content = await _read(reader)
            await self._serve(Exchange(reader, writer), f"{method} {path}", headers, content)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    async def _serve(self, exchange: "Exchange", route: str, headers: dict[str, str], content: bytes) -> None:
        plain = self.plain(route, content)
        if plain is not None:
            await exchange.json(200, plain)
        elif route == self.generate_route:
            asked = self.understood(json.loads(content), headers)
            self.asked.append(asked)
            self.running += 1
            try:
                await self._generate(exchange, asked)
            except Left:
                self.left += 1
            finally:
                self.running -= 1
        else:
            await exchange.json(404, {"error": {"message": "no such route"}})

    async def _generate(self, exchange: "Exchange", asked: Asked) -> None:
        scripted = self.script(asked)
        reply = scripted if isinstance(scripted, Reply) else Reply(scripted)
        if reply.failure == "hang":
            await exchange.pause(3600)
        if reply.failure == "status":
            await exchange.json(reply.status, {"error": {"message": asked.text}})
            return
        await exchange.pause(reply.first_delay_seconds)
        answer = answered(asked, reply.text)
        if not asked.body.get("stream", self.streams_unasked):
            await exchange.json(200, self.whole(answer, asked))
            return
        await exchange.begin(self.content_type)
        for number, word in enumerate(answer.words):
            if reply.failure and number == 2:
                await self._fail(exchange, reply.failure)
                return
            await exchange.send(self.piece(word))
            await exchange.pause(reply.delay_seconds)
        for line in self.ending(answer, asked):
            await exchange.send(line)
        await exchange.end()

    async def _fail(self, exchange: "Exchange", failure: Failure) -> None:
        if failure == "malformed":
            await exchange.send(self.framed("{not json"))
            await exchange.end()
        elif failure == "error":
            await exchange.send(self.framed(json.dumps({"error": {"message": "out of memory"}})))
            await exchange.end()
        else:
            exchange.cut()

    # What a dialect says.

    generate_route = ""
    content_type = ""
    streams_unasked = False

    def plain(self, route: str, content: bytes) -> dict[str, Any] | None:
        """Return the answer of a short route, None where it is none."""
        raise NotImplementedError

    def understood(self, body: dict[str, Any], headers: dict[str, str]) -> Asked:
        raise NotImplementedError

    def framed(self, data: str) -> bytes:
        raise NotImplementedError

    def piece(self, word: str) -> bytes:
        raise NotImplementedError

    def ending(self, answer: Answer, asked: Asked) -> list[bytes]:
        raise NotImplementedError

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        raise NotImplementedError


class Left(Exception):  # noqa: N818  # not an error: the caller has left
    """The caller closed the connection."""


class Exchange:
    """One request's answer, written by hand so that it can be cut off anywhere."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._gone = asyncio.ensure_future(reader.read())
        self._gone.add_done_callback(lambda gone: gone.cancelled() or gone.exception())  # a reset is an end, too

    async def json(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        await self._write(f"{head}Connection: close\r\n\r\n".encode() + data)
        self._gone.cancel()

    async def begin(self, content_type: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n"
        await self._write(f"{head}Connection: close\r\n\r\n".encode())

    async def send(self, data: bytes) -> None:
        await self._write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self) -> None:
        await self._write(b"0\r\n\r\n")
        self._gone.cancel()

    def cut(self) -> None:
        self._gone.cancel()
        self._writer.transport.abort()

    async def pause(self, seconds: float) -> None:
        """Wait, or raise Left as soon as the caller closes the connection."""
        done, _ = await asyncio.wait({self._gone}, timeout=seconds)
        if done:
            raise Left

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            raise Left from None


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, target.partition("?")[0], headers, content


def answered(asked: Asked, text: str) -> Answer:
    """Return the words that are sent: those of the text, or of JSON that fits the schema, up to stop and max_tokens."""
    if asked.schema is not None and not _is_json(text):
        text = json.dumps(example(asked.schema, text))
    reason = "stop"
    for stop in asked.stop:
        text = text.partition(stop)[0]
    words = WORDS.findall(text)
    if len(words) > asked.max_tokens:
        words, reason = words[: asked.max_tokens], "length"
    return Answer(words, reason)


def example(schema: dict[str, Any], text: str) -> Any:
    """Return a value that fits the schema: the first choice everywhere, `text` where a sentence goes."""
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices:
        return choices[0]
    combined = schema.get("anyOf") or schema.get("oneOf")
    if combined:
        return example(combined[0], text)
    kind = schema.get("type", "object")
    least = schema.get("minimum", 1)
    makers: dict[str, Callable[[], Any]] = {
        "object": lambda: {name: example(inner, text) for name, inner in schema.get("properties", {}).items()},
        "array": lambda: [example(schema.get("items", {}), text)] * schema.get("minItems", 0),
        "string": lambda: text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), "."),
        "integer": lambda: least,
        "number": lambda: least,
        "boolean": lambda: True,
        "null": lambda: None,
    }
    return makers[kind[0] if isinstance(kind, list) else kind]()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def prompt_words(asked: Asked) -> int:
    """Count the prompt's tokens: its words."""
    return sum(len(WORDS.findall(message["content"])) for message in asked.body["messages"])


class ScriptedModel(ModelServer):
    """OpenAI's dialect."""

    generate_route = "POST /v1/chat/completions"
    content_type = "text/event-stream"

    @property
    def url(self) -> str:
        """What OPENAI_BASE_URL takes."""
        return f"{self.base}/v1"

    def plain(self, route: str, content: bytes) -> dict[str, Any] | None:
        if route != "GET /v1/models":
            return None
        return {"object": "list", "data": [{"id": self.model, "object": "model", "max_model_len": 8192}]}

    def understood(self, body: dict[str, Any], headers: dict[str, str]) -> Asked:
        shape = body.get("response_format") or {}
        schema = shape["json_schema"]["schema"] if shape.get("type") == "json_schema" else None
        stop = body.get("stop") or ()
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
        return Asked(body, headers, body["messages"][-1]["content"], schema, stops, body.get("max_tokens") or 256)

    def framed(self, data: str) -> bytes:
        return f"data: {data}\n\n".encode()

    def piece(self, word: str) -> bytes:
        return self._chunk({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})

    def ending(self, answer: Answer, asked: Asked) -> list[bytes]:
        lines = [self._chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": answer.reason}]})]
        if (asked.body.get("stream_options") or {}).get("include_usage"):
            lines.append(self._chunk({"choices": [], "usage": self._usage(answer, asked)}))
        return [*lines, self.framed("[DONE]")]

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(answer.words)}
        choice = {"index": 0, "message": message, "finish_reason": answer.reason}
        return {"model": self.model, "choices": [choice], "usage": self._usage(answer, asked)}

    def _chunk(self, value: dict[str, Any]) -> bytes:
        return self.framed(json.dumps({"object": "chat.completion.chunk", "model": self.model, **value}))

    def _usage(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        prompt, generated = prompt_words(asked), len(answer.words)
        return {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}


async def _run(arguments: argparse.Namespace) -> None:
    replies = iter_forever(arguments.reply or [Reply().text])
    reply: dict[str, Any] = {
        "delay_seconds": arguments.delay_ms / 1000,
        "first_delay_seconds": arguments.first_delay_ms / 1000,
        "failure": arguments.failure,
    }
    async with ScriptedModel(
        lambda _: Reply(next(replies), **reply), port=arguments.port, model=arguments.model
    ) as model:
        sys.stdout.write(f"{model.url}\n")
        sys.stdout.flush()
        await model.serve_forever()


def iter_forever(replies: Sequence[str]) -> Iterator[str]:
    """Return the replies in order, and the last one for ever."""
    yield from replies[:-1]
    while True:
        yield replies[-1]


def main() -> None:
    """Serve until stopped; prints what OPENAI_BASE_URL takes."""
    parser = argparse.ArgumentParser(description="A scripted model with OpenAI's chat completions.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=int, default=0, help="between words")
    parser.add_argument("--first-delay-ms", type=int, default=0, help="before the first word")
    parser.add_argument("--reply", action="append", help="repeat for several in order; the last one stays")
    parser.add_argument("--model", default="", help="a name such as tiny-135m is taken for a small model")
    parser.add_argument("--failure", choices=("", "status", "hang", "cut", "malformed", "error"), default="")
    try:
        asyncio.run(_run(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
