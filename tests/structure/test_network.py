"""The network is closed while tests run, save for this machine."""

import asyncio
import socket

import pytest

from support.network import NetworkClosedError, is_local

# Of TEST-NET-1: nothing answers there, should the fence ever be open.
ELSEWHERE = "192.0.2.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"localhost", "0.0.0.0", "", None])
def test_this_machine_is_local(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org", "localhost.example.org", "2001:db8::1", "10.0.0.1"])
def test_anything_else_is_not(host: str) -> None:
    assert not is_local(host)


def test_a_socket_reaches_this_machine_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    with pytest.raises(NetworkClosedError):
        socket.create_connection((ELSEWHERE, 80))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(NetworkClosedError):
        datagrams.connect((ELSEWHERE, 53))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(NetworkClosedError):
        socket.getaddrinfo("example.org", 443)


async def test_the_event_loop_is_fenced_too() -> None:
    with pytest.raises(NetworkClosedError):
        await asyncio.open_connection("example.org", 443)
