"""Webhooks as bare ASGI: the hottest path of the platform, with no framework on it.

A request is bounded (names, headers, query, size, time, number in progress) and otherwise passed on unchanged; what it
means is for the channel's handler alone to judge.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import SpanKind
from starlette.types import Receive, Scope, Send

from gateway.app.metrics import WEBHOOKS_BUSY
from gateway.app.ports import Inbound
from gateway.domain.refusals import Reason, Refused
from gateway.domain.webhooks import (
    MAX_QUERY_BYTES,
    METHODS,
    Answer,
    RawRequest,
    are_names,
    headers_fit,
    readable_headers,
)  # fmt: skip
from gateway.entrypoints import problems
from gateway.entrypoints.peers import header
from kit.faultpoints import reached
from kit.log import get_logger
from kit.tracing import span

PREFIX = "/webhooks/"
TEMPLATE = "/webhooks/{channel}/{account}"
CONTENT_TYPE = re.compile(r"[A-Za-z0-9.+/;= \"_-]{1,127}")
BUSY_RETRY_SECONDS = 2
# After a refusal the rest of a body is read and dropped, this long and this much, so that the client sees the answer
# before the connection ends; a client that is still sending would otherwise only see a reset.
LINGER_SECONDS = 1.0
LINGER_BYTES = 4 * 1024 * 1024

log = get_logger("gateway.webhooks")


class _Rejected(Exception):  # noqa: N818  # reads as what happened
    """The gateway itself answers; `close` where a part of the body may still be on its way."""

    def __init__(self, members: dict[str, Any], close: bool = False, allow: str = "") -> None:
        super().__init__(members["code"])
        self.members = members
        self.close = close
        self.allow = allow


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    """Bounds of the webhook door."""

    timeout_seconds: float
    max_body_bytes: int
    max_in_progress: int


class Webhooks:
    """The ASGI app of /webhooks/{channel}/{account}."""

    def __init__(self, inbound: Inbound, limits: WebhookLimits) -> None:
        self._inbound = inbound
        self._limits = limits
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["endpoint_template"] = TEMPLATE
        if self._in_progress >= self._limits.max_in_progress:
            WEBHOOKS_BUSY.inc()
            await _refuse(send, receive, _Rejected(_busy(), close=True))
            return
        self._in_progress += 1
        try:
            with span("webhook", SpanKind.SERVER):
                answer = await self._handle(scope, receive)
        except _Rejected as rejected:
            await _refuse(send, receive, rejected)
        except Refused as refused:
            await problems.send_problem(send, problems.body_of(refused.reason, refused.retry_after))
        else:
            reached("before_webhook_answer")
            await _respond(send, answer)
        finally:
            self._in_progress -= 1

    async def _handle(self, scope: Scope, receive: Receive) -> Answer:
        channel, account = _names(scope)
        _check_head(scope, self._limits.max_body_bytes)
        ends = time.monotonic() + self._limits.timeout_seconds
        try:
            async with asyncio.timeout(self._limits.timeout_seconds):
                body = await _read(receive, self._limits.max_body_bytes)
        except TimeoutError:
            raise _Rejected(problems.plain_problem(408, "Send the whole body at once."), close=True) from None
        request = RawRequest(
            channel=channel,
            account=account,
            method=scope["method"],
            headers=readable_headers(scope["headers"]),
            query=scope["query_string"].decode("latin-1"),
            body=body,
        )
        reached("after_webhook_read")
        answer = await self._inbound.receive(request, max(0.05, ends - time.monotonic()))
        if not 200 <= answer.status <= 599:
            log.error("webhook_answer_invalid", status=answer.status)
            raise Refused(Reason.UNAVAILABLE, BUSY_RETRY_SECONDS)
        return answer


def _names(scope: Scope) -> tuple[str, str]:
    parts = scope["path"][len(PREFIX) :].split("/")
    if len(parts) != 2 or not are_names(*parts):
        raise _Rejected(problems.plain_problem(404, "Webhooks are at /webhooks/{channel}/{account}."), close=True)
    return parts[0], parts[1]


def _check_head(scope: Scope, max_body_bytes: int) -> None:
    if scope["method"] not in METHODS:
        members = problems.plain_problem(405, "Use POST, or GET to verify.")
        raise _Rejected(members, close=True, allow=", ".join(METHODS))
    if not headers_fit(scope["headers"]):
        raise _Rejected(problems.plain_problem(431, "Send fewer or shorter headers."), close=True)
    if len(scope["query_string"]) > MAX_QUERY_BYTES:
        raise _Rejected(problems.plain_problem(414, "Send a shorter query."), close=True)
    declared = header(scope["headers"], b"content-length")
    if declared.isdecimal() and int(declared) > max_body_bytes:
        raise _too_large(max_body_bytes)


def _too_large(max_body_bytes: int) -> _Rejected:
    return _Rejected(problems.plain_problem(413, f"Send at most {max_body_bytes} bytes."), close=True)


def _busy() -> dict[str, Any]:
    return problems.body_of(Reason.UNAVAILABLE, BUSY_RETRY_SECONDS)


async def _read(receive: Receive, max_body_bytes: int) -> bytes:
    """Return the body; stops at the first byte too many, whatever Content-Length said or did not say."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Rejected(problems.plain_problem(400, "The connection ended before the body did."))
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_body_bytes:
            raise _too_large(max_body_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _respond(send: Send, answer: Answer) -> None:
    content_type = answer.content_type if CONTENT_TYPE.fullmatch(answer.content_type) else "text/plain; charset=utf-8"
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(answer.body)).encode())]
    if answer.retry_after_seconds:
        headers.append((b"retry-after", str(answer.retry_after_seconds).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _refuse(send: Send, receive: Receive, rejected: _Rejected) -> None:
    body = json.dumps(rejected.members).encode()
    headers = problems.headers_of(rejected.members) | {
        "Content-Type": problems.MEDIA_TYPE, "Content-Length": str(len(body)),
    }  # fmt: skip
    headers |= {"Connection": "close"} if rejected.close else {}
    headers |= {"Allow": rejected.allow} if rejected.allow else {}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": rejected.members["status"], "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": rejected.close})
    if rejected.close:
        await _drop_rest(receive)
        await send({"type": "http.response.body", "body": b""})


async def _drop_rest(receive: Receive) -> None:
    dropped = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while dropped < LINGER_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
