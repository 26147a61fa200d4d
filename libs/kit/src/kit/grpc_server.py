"""A gRPC server as a part of a life: deadlines required, traced, measured, with the standard health service."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from opentelemetry.trace import SpanKind

from kit import log, metrics, tracing
from kit.process import Life, StartError

HEALTH_PREFIX = "/grpc.health."
NO_DEADLINE_SECONDS = 1e8
CONNECTION_SECONDS = 450.0  # then it is cut, whatever it carries; its age, 300 at most, ends earlier
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
KINDS = ("unary_unary", "unary_stream", "stream_stream")  # of calls; nobody needs the fourth
Servicer = TypeVar("Servicer")
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class GrpcServer:
    """Add servicers, then start; at drain health turns NOT_SERVING and calls in progress are finished."""

    def __init__(self, host: str, port: int, life: Life, max_connection_age_seconds: float = 300.0) -> None:
        # The age makes clients reconnect, and so find new replicas (grpc/grpc#12295).
        options = [
            ("grpc.max_connection_age_ms", int(max_connection_age_seconds * 1000)),
            ("grpc.max_connection_age_grace_ms", int((CONNECTION_SECONDS - max_connection_age_seconds) * 1000)),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.so_reuseport", 0),
        ]
        self._server = grpc.aio.server(interceptors=[_CallInterceptor()], options=options)
        self._health = HealthServicer()
        self._address = f"{host}:{port}"
        self._life = life
        self.port = port
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def add(self, register: Callable[[Servicer, grpc.aio.Server], None], servicer: Servicer) -> None:
        """Register a servicer by its generated add_…_to_server function."""
        register(servicer, self._server)

    async def start(self) -> None:
        """Listen; raises StartError where the port is taken. Port 0 takes any free one, found in `port` afterwards."""
        try:
            self.port = self._server.add_insecure_port(self._address)
        except RuntimeError:
            self.port = 0
        if not self.port:
            raise StartError(f"gRPC port {self._address} is taken: stop what uses it, or set GRPC_PORT")
        await self._server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self._life.on_drain(self._stop)

    async def _stop(self) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(self._life.drain_seconds)


class _CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs alone
    """Refuses calls without a deadline, continues the caller's trace, measures, and names errors without their text."""

    def __init__(self) -> None:
        self._observed: dict[str, Any] = {}  # by method: made once, not for each call

    async def intercept_service(self, continuation: Callable[..., Awaitable[Any]], handler_call_details: Any) -> Any:
        method: str = handler_call_details.method
        if (known := self._observed.get(method)) is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(HEALTH_PREFIX):
            return handler
        kind = next(kind for kind in KINDS if getattr(handler, kind))
        wrap = _unary if kind == "unary_unary" else streaming
        self._observed[method] = handler._replace(**{kind: wrap(getattr(handler, kind), method)})
        return self._observed[method]


def _unary(behaviour: Any, method: str) -> Any:
    async def call(request: Any, context: Context) -> Any:
        async with _observed(method, context):
            return await behaviour(request, context)

    return call


def streaming(behaviour: Any, method: str) -> Any:
    async def call(request: Any, context: Context) -> Any:
        async with _observed(method, context), aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                yield response

    return call


@asynccontextmanager
async def _observed(method: str, context: Context) -> AsyncIterator[None]:
    remaining: float | None = context.time_remaining()
    if remaining is None or remaining > NO_DEADLINE_SECONDS:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a deadline is required")
    # A refusal is an answer: clients do not ask again for it (gRFC A6, server pushback).
    context.set_trailing_metadata((("grpc-retry-pushback-ms", "-1"),))
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    begun, code = time.perf_counter(), "OK"
    try:
        with tracing.continued(metadata), tracing.span(method, SpanKind.SERVER):
            yield
    except grpc.aio.AbortError:
        code = "REFUSED"
        raise
    except Exception as error:  # noqa: BLE001  # the edge of a call: logged here, and named to the caller
        code = "INTERNAL"
        log.get_logger("kit.grpc").exception("grpc_call_failed", method=method)
        # The library would send the error's text to the caller; that may quote what a person wrote.
        await context.abort(grpc.StatusCode.INTERNAL, log.error_name(error))
    finally:
        metrics.GRPC_SECONDS.labels(method, code).observe(time.perf_counter() - begun)
