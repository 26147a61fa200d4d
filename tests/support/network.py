"""Close the network to everything but this machine while tests run: what a test needs from outside is a fake.

Loaded by pytest for every run (`-p support.network` in pyproject.toml). It covers sockets and name look-ups of this
process; processes that a test starts (the end-to-end platform) are not covered and keep to loopback by their settings.
"""

import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

# Set before anything imports gRPC: its fork handlers run in a child that is about to become PostgreSQL, and crash it
# when a test before has left gRPC's threads behind.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

LOCAL_NAMES = frozenset({"localhost", "", "0.0.0.0", "::"})


class NetworkClosedError(RuntimeError):
    """A test tried to reach something that is not on this machine."""

    def __init__(self, host: str) -> None:
        super().__init__(f"tests may only reach this machine, not {host!r}: use a fake from tests/fakes")


def is_local(host: object) -> bool:
    """Whether a host, as given to connect() or getaddrinfo(), is certainly this machine."""
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guarded_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            raise NetworkClosedError(str(address[0]))
        return original(self, address)

    return connect


def _guarded_look_up(original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host):
            raise NetworkClosedError(str(host))
        return original(host, *args, **kwargs)

    return getaddrinfo


def pytest_configure(config: pytest.Config) -> None:
    """Close the network before the first test module is imported."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _guarded_connect(socket.socket.connect))
    patch.setattr(socket.socket, "connect_ex", _guarded_connect(socket.socket.connect_ex))
    patch.setattr(socket, "getaddrinfo", _guarded_look_up(socket.getaddrinfo))
    config.add_cleanup(patch.undo)
