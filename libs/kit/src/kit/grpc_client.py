"""Channels to other services: deadlines required, trace context sent along, new replicas found by round_robin."""

import json
from collections.abc import Callable
from typing import Any

import grpc
from grpc.aio import ClientCallDetails, Metadata

from kit import tracing
from kit.grpc_server import MAX_MESSAGE_BYTES

SERVICE_CONFIG = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})
OPTIONS = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # A restarted peer on one machine is back within a second; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


class DeadlineMissingError(RuntimeError):
    """A call was made without timeout=; every call between services has one."""


def channel(target: str) -> grpc.aio.Channel:
    """Return a channel to "host:port"; create it inside the running event loop, once per peer and process."""
    address = target if "://" in target else f"dns:///{target}"
    interceptors: list[Any] = [_UnaryInterceptor(), _StreamInterceptor()]
    return grpc.aio.insecure_channel(address, options=OPTIONS, interceptors=interceptors)


def _prepared(details: ClientCallDetails) -> ClientCallDetails:
    if details.timeout is None:
        raise DeadlineMissingError("give the call a timeout")
    metadata = Metadata(*(details.metadata or ()), *tracing.inject({}).items())
    return ClientCallDetails(details.method, details.timeout, metadata, details.credentials, details.wait_for_ready)


class _UnaryInterceptor(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # generic in the stubs alone
    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_prepared(client_call_details), request)


class _StreamInterceptor(grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]  # generic in the stubs alone
    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(_prepared(client_call_details), request)
