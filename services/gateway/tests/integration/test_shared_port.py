"""Two gateways at one port, each with a page of its own that says whether it is ready."""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from fakes.gateway_door import settings_for_tests
from fakes.gateway_peers import Peers, running_peers
from gateway.entrypoints.listening import shared_listener
from gateway.main import start
from kit.process import Life, StartError
from support.ports import free_port

CONNECTIONS = 40


@asynccontextmanager
async def replica(nats_url: str, redis_url: str, http_port: int, ops_port: int) -> AsyncIterator[tuple[Peers, Life]]:
    async with running_peers() as peers:
        life = Life("gateway", 2)
        addresses = {"channel_adapter_address": peers.address, "coaching_address": peers.address}
        urls = {"nats_url": nats_url, "redis_url": redis_url}
        await start(settings_for_tests(http_port=http_port, ops_port=ops_port, **addresses, **urls), life)
        try:
            yield peers, life
        finally:
            life.stop()
            assert await life.finish()


async def asked(url: str) -> int:
    """Open one connection, and return the status of the webhook that was called over it."""
    async with httpx.AsyncClient(base_url=url) as client:
        return (await client.post("/webhooks/telegram/1", content=b"{}")).status_code


async def test_two_answer_at_one_port_and_one_goes_on_alone(nats_url: str, valkey_url: str) -> None:
    port, ops = free_port(), (free_port(), free_port())
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as both, replica(nats_url, valkey_url, port, ops[0]) as (first, _):
        second, _ = await both.enter_async_context(replica(nats_url, valkey_url, port, ops[1]))
        for number in ops:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{number}") as client:
                assert (await client.get("/ready")).json()["service"] == "gateway"
                assert (await client.get("/v1/messages")).status_code == 404
        assert {await asked(url) for _ in range(CONNECTIONS)} == {200}
        taken = len(first.inbound.requests), len(second.inbound.requests)
        assert sum(taken) == CONNECTIONS
        if sys.platform == "linux":  # elsewhere one of them gets everything
            assert all(taken)
        await both.aclose()
        assert {await asked(url) for _ in range(CONNECTIONS)} == {200}
        assert len(first.inbound.requests) == taken[0] + CONNECTIONS


def test_a_port_that_is_somebody_elses_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"HTTP port {port} .*HTTP_PORT"):
            shared_listener("127.0.0.1", port)
