"""What all model servers over HTTP share: lines of a streamed body, and failures told without any prompt text."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from llm_inference.domain.errors import BackendUnavailableError, InvalidRequestError

# A line longer than this is no token of a model.
MOST_LINE_BYTES = 1_000_000
CONNECT_SECONDS = 5.0
PER_WORKER = 16  # completions for each of MAX_WORKERS: waiting for a server costs next to nothing here
CLIENT_ERRORS = frozenset({400, 413, 422})
KEY_ERRORS = frozenset({401, 403})


def client(base_url: str, headers: Mapping[str, str], proxies: bool = True) -> httpx.AsyncClient:
    """Return a client to one server. It reads without end: the caller's deadline bounds a generation.

    No connection is kept idle: a server that closes one just as it is used again would lose a request.
    `proxies`: whether the environment's proxy settings count.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        headers=headers,
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        trust_env=proxies,
    )


@asynccontextmanager
async def posted(
    http: httpx.AsyncClient, path: str, body: Mapping[str, Any], advice: str
) -> AsyncIterator[httpx.Response]:
    """Send a JSON body and give the streamed response; `advice` says what an operator can do when there is none.

    Leaving the context closes the connection, by which servers stop generating.
    Raises InvalidRequestError where the server refuses the request, BackendUnavailableError for everything else.
    """
    try:
        async with http.stream("POST", path, json=body) as response:
            if response.status_code != httpx.codes.OK:
                raise refusal(response.status_code, advice)
            yield response
    except httpx.HTTPError as error:
        raise BackendUnavailableError(f"the model server broke off ({type(error).__name__}): {advice}") from None


async def fetched(http: httpx.AsyncClient, method: str, path: str, advice: str, body: Any = None) -> dict[str, Any]:
    """Return the JSON object that answers a short call, made within 5 seconds. Raises BackendUnavailableError."""
    try:
        response = await http.request(method, path, json=body, timeout=CONNECT_SECONDS)
        if response.status_code != httpx.codes.OK:
            raise BackendUnavailableError(f"the model server answers {response.status_code}: {advice}")
        return parsed(response.content)
    except httpx.HTTPError as error:
        raise BackendUnavailableError(f"no model server ({type(error).__name__}): {advice}") from None


def refusal(status: int, advice: str) -> Exception:
    """Return the error for a status. The server's own words are left out: they may quote the prompt."""
    if status in CLIENT_ERRORS:
        return InvalidRequestError("the model server refuses the request: the prompt is too long, or the schema is bad")
    if status in KEY_ERRORS:
        return BackendUnavailableError(f"the model server refuses the key: {advice}")
    return BackendUnavailableError(f"the model server answers {status}: {advice}")


async def lines(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """Yield the body's non-empty lines as they come."""
    rest = b""
    async for chunk in response.aiter_raw():
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            if line := line.strip():
                yield line
        if len(rest) > MOST_LINE_BYTES:
            raise BackendUnavailableError("the model server sent a line without end")
    if rest := rest.strip():
        yield rest


async def sse(response: httpx.Response) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the JSON objects of server-sent events, up to [DONE]. Raises BackendUnavailableError if it never came."""
    async for line in lines(response):
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
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BackendUnavailableError("the model server sent what is no JSON object")
    if value.get("error"):
        raise BackendUnavailableError("the model server failed while it generated: see its log")
    return value
