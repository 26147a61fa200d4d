"""Channels to other services: deadlines required, trace context sent along, replicas taken in turns.

A call whose connection breaks before an answer has begun, or that a server cancels because it stops (grpc/grpc#41785),
is made again at another replica: every call may arrive twice. A server's own refusal (kit.grpc_server) is final.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import grpc

from kit import tracing
from kit.grpc_server import KINDS, MAX_MESSAGE_BYTES
from kit.process import StartError

RETRY = {"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3,
         "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]}  # fmt: skip
SERVICE_CONFIG = json.dumps({
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{"name": [{}], "retryPolicy": RETRY}],
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.5},  # a peer that is down is not asked four times over
})  # fmt: skip
REPLICAS = re.compile(r"[\d.]+:\d+(,[\d.]+:\d+)+")
OPTIONS = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # A restarted peer is back within a second, maybe elsewhere; the defaults are two minutes, and 30 s between lookups.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


class DeadlineMissingError(RuntimeError):
    """A call was made without timeout=; every call between services has one."""


def channel(target: str) -> grpc.aio.Channel:
    """Return a channel to "host:port", or to the replicas "ip:port,ip:port"; raises StartError for anything else.

    Create it inside the running event loop, once per peer and process.
    """
    if "," in target and not REPLICAS.fullmatch(target):
        raise StartError(f"the address {target} is none: name one host:port, or ip:port of each replica with commas")
    address = target if "://" in target else f"ipv4:{target}" if "," in target else f"dns:///{target}"
    opened = grpc.aio.insecure_channel(address, options=OPTIONS)
    # Around each method rather than as interceptors, for which the library makes a task and four callbacks a call.
    for kind in KINDS:
        setattr(opened, kind, _prepared(getattr(opened, kind)))
    return opened


def _prepared(make: Callable[..., Any]) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Callable[..., Any]:
        multi = make(*args, **kwargs)

        def call(request: Any = None, *, timeout: float | None = None, metadata: Any = (), **options: Any) -> Any:
            if timeout is None:
                raise DeadlineMissingError("give the call a timeout")
            return multi(request, timeout=timeout, metadata=(*metadata, *tracing.inject({}).items()), **options)

        return call

    return method
