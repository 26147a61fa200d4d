"""The HTTP side of a process: health, readiness, metrics, and a server that leaves signals to the process."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import metrics
from kit.process import Life, StartError

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def ops_routes(life: Life) -> list[BaseRoute]:
    """Return /health (the process lives), /ready (its dependencies answer) and /metrics."""

    async def health(request: Request) -> Response:
        request.scope["endpoint_template"] = "/health"  # plain routes, unlike FastAPI's, do not name themselves
        return JSONResponse({"status": "ok", "service": life.name})

    async def ready(request: Request) -> Response:
        request.scope["endpoint_template"] = "/ready"
        passed, checks = await life.readiness.report()
        body = {"status": "ready" if passed else "not ready", "service": life.name, "checks": checks}
        return JSONResponse(body, status_code=200 if passed else 503)

    async def show_metrics(request: Request) -> Response:
        request.scope["endpoint_template"] = "/metrics"
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)

    return [Route("/health", health), Route("/ready", ready), Route("/metrics", show_metrics)]


def ops_app(life: Life) -> ASGIApp:
    """Return the HTTP app of a service that has no other."""
    return MetricsMiddleware(Starlette(routes=ops_routes(life)))


class MetricsMiddleware:
    """Counts requests by the route's template, so that no path that a client invents becomes a label."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            metrics.HTTP_REQUESTS.labels(method, endpoint_of(scope), str(status)).inc()
            metrics.HTTP_SECONDS.labels(method, endpoint_of(scope)).observe(time.perf_counter() - begun)


def endpoint_of(scope: Scope) -> str:
    """Return the template of the route that answered; bare ASGI code sets it as "endpoint_template"."""
    template = scope.get("endpoint_template") or getattr(scope.get("route"), "path", None)
    return str(template) if template else "unmatched"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the process handles signals, in one place


class HttpServer:
    """A uvicorn server as a part of a life: it stops taking requests at drain and finishes those in progress."""

    def __init__(self, app: ASGIApp, host: str, port: int, life: Life, limit_seconds: int = 20) -> None:
        config = uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, lifespan="off", server_header=False,
            timeout_graceful_shutdown=limit_seconds, loop="none", ws_max_size=65536, proxy_headers=False,
        )  # fmt: skip
        self._server = _Server(config)
        self._life = life
        self._host = host
        self.port = port
        self.sockets: list[socket.socket] | None = None  # where it listens instead, when set before the start

    async def start(self) -> None:
        """Listen; raises StartError where the port is taken. Port 0 takes any free one, found in `port` afterwards."""
        _ = self._life.background("http", self._serve())
        while not self._server.started:
            if self._life.stopping.is_set():
                raise StartError(f"HTTP port {self.port} on {self._host} is taken: stop what uses it, or set HTTP_PORT")
            await asyncio.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self._life.on_drain(self._stop)

    async def _serve(self) -> None:
        try:
            await self._server.serve(self.sockets)
        except SystemExit:
            # uvicorn exits the interpreter when it cannot bind; here that is one failed part of the process.
            self._life.stop()

    async def _stop(self) -> None:
        self._server.should_exit = True
