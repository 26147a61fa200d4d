"""What every request meets first: security headers, the webhook door, and bounds on time and size of the rest."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.domain.addresses import Surroundings
from gateway.domain.refusals import Reason
from gateway.entrypoints import problems
from gateway.entrypoints.peers import header, peer_of
from gateway.entrypoints.webhooks import PREFIX as WEBHOOKS
from kit.log import get_logger

MAX_REST_BODY_BYTES = 65_536  # the longest message fits, even with every character escaped
API = "/v1/"

# Nothing inline, nothing from elsewhere, in nobody's frame; 'self' covers the chat socket (CSP 3, 6.7.2.8).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: list[tuple[bytes, bytes]] = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")

log = get_logger("gateway.http")


class Edge:
    """The outermost app: webhooks go their own short way, everything else through the framework."""

    def __init__(self, webhooks: ASGIApp, rest: ASGIApp, surroundings: Surroundings) -> None:
        self._webhooks = webhooks
        self._rest = rest
        self._surroundings = surroundings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        extra = SECURITY_HEADERS
        if self._surroundings.is_https(peer_of(scope)):
            extra = [*extra, STRICT_TRANSPORT]
        if scope["path"].startswith(API):
            extra = [*extra, (b"cache-control", b"no-store")]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in extra if pair[0] not in present)]
            await send(message)

        app = self._webhooks if scope["path"].startswith(WEBHOOKS) else self._rest
        await app(scope, receive, with_headers)


class Bounded:
    """Bounds an app's HTTP requests: their time, the size of their bodies, and what leaks out of a defect."""

    def __init__(self, app: ASGIApp, timeout_seconds: float, max_body_bytes: int = MAX_REST_BODY_BYTES) -> None:
        self._app = app
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; answer for it where it does not answer in time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = header(scope["headers"], b"content-length")
        if declared.isdecimal() and int(declared) > self._max_body_bytes:
            await problems.send_problem(send, problems.body_of(Reason.TOO_LARGE))
            return
        answer = _Answer(send)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._app(scope, self._counted(receive), answer)
        except TimeoutError:
            log.warning("request_timed_out", started=answer.started)
            await answer.instead(problems.body_of(Reason.TIMED_OUT, retry_after=1))
        except Exception:  # the edge of a request: logged, and answered without the error's text
            log.exception("request_failed")
            await answer.instead(problems.plain_problem(500, "Try again; if it happens again, tell the operator."))

    def _counted(self, receive: Receive) -> Receive:
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_body_bytes:
                # Of all exceptions the framework lets this one through while it reads a body.
                raise HTTPException(413)
            return message

        return counted


class _Answer:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self._send(message)

    async def instead(self, members: dict[str, object]) -> None:
        """Send a problem, unless the app's own answer has begun; that one is cut off by the server."""
        if not self.started:
            await problems.send_problem(self, members)
