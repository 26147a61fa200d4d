"""What all model servers over HTTP share: lines of a streamed body, and failures told without any prompt text."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson

from kit.proxy import environment_proxy
from llm_inference.domain.errors import BackendUnavailableError, InvalidRequestError

# A line longer than this is no token of a model.
MOST_LINE_BYTES = 1_000_000
CONNECT_SECONDS = 5.0
# Idle connections are closed before any server does it (uvicorn and llama-server after 5 seconds, others later):
# a request on a connection that is being closed would be lost.
KEEP_IDLE_SECONDS = 2.0
PER_WORKER = 16  # completions for each of MAX_WORKERS: waiting for a server costs next to nothing here
CLIENT_ERRORS = frozenset({400, 413, 422})
JSON_TYPE = {"Content-Type": "application/json"}
KEY_ERRORS = frozenset({401, 403})
BROKEN = (aiohttp.ClientError, OSError, asyncio.TimeoutError)


class Client:
    """HTTP to one server. It reads without end: the caller's deadline bounds a generation.

    `proxies`: whether the environment's proxy settings count. Create it inside the running event loop.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], proxies: bool = True) -> None:
        self._base = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(), headers=headers,
            proxy=environment_proxy(base_url) if proxies else None,
        )  # fmt: skip

    def request(
        self, method: str, path: str, body: Any = None, seconds: float | None = None,
        params: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:  # fmt: skip
        """Ask; leaving the context before the response has ended closes the connection. Raises one of BROKEN."""
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        data, headers = (None, None) if body is None else (orjson.dumps(body), JSON_TYPE)
        return self._session.request(
            method, self._base + path, data=data, headers=headers, params=params, timeout=timeout, allow_redirects=False
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


@asynccontextmanager
async def posted(http: Client, path: str, body: Mapping[str, Any], advice: str) -> AsyncIterator[AsyncIterable[bytes]]:
    """Send a JSON body and give the response's pieces; `advice` says what an operator can do when there is none.

    Leaving the context closes the connection, by which servers stop generating.
    Raises InvalidRequestError where the server refuses the request, BackendUnavailableError for everything else.
    """
    try:
        async with http.request("POST", path, body) as response:
            if response.status != HTTPStatus.OK:
                raise refusal(response.status, advice)
            yield response.content.iter_any()
    except BROKEN as error:
        raise BackendUnavailableError(f"the model server broke off ({type(error).__name__}): {advice}") from None


async def fetched(http: Client, method: str, path: str, advice: str, body: Any = None) -> dict[str, Any]:
    """Return the JSON object that answers a short call, made within 5 seconds. Raises BackendUnavailableError."""
    try:
        async with http.request(method, path, body, CONNECT_SECONDS) as response:
            if response.status != HTTPStatus.OK:
                raise BackendUnavailableError(f"the model server answers {response.status}: {advice}")
            return parsed(await response.read())
    except BROKEN as error:
        raise BackendUnavailableError(f"no model server ({type(error).__name__}): {advice}") from None


def refusal(status: int, advice: str) -> Exception:
    """Return the error for a status. The server's own words are left out: they may quote the prompt."""
    if status in CLIENT_ERRORS:
        return InvalidRequestError("the model server refuses the request: the prompt is too long, or the schema is bad")
    if status in KEY_ERRORS:
        return BackendUnavailableError(f"the model server refuses the key: {advice}")
    return BackendUnavailableError(f"the model server answers {status}: {advice}")


async def lines(pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the body's non-empty lines as they come."""
    rest = b""
    async for chunk in pieces:
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            if line := line.strip():
                yield line
        if len(rest) > MOST_LINE_BYTES:
            raise BackendUnavailableError("the model server sent a line without end")
    if rest := rest.strip():
        yield rest


async def sse(pieces: AsyncIterable[bytes]) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the JSON objects of server-sent events, up to [DONE]. Raises BackendUnavailableError if it never came."""
    async for line in lines(pieces):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        yield parsed(data)
    raise BackendUnavailableError("the model server's stream ended too early")


def parsed(data: bytes) -> dict[str, Any]:
    """Return the JSON object of one line. Raises BackendUnavailableError when it is none, or tells of an error."""
    try:
        value = orjson.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BackendUnavailableError("the model server sent what is no JSON object")
    if value.get("error"):
        raise BackendUnavailableError("the model server failed while it generated: see its log")
    return value
