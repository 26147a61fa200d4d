"""The whole gateway over fakes in memory, without a network and without NATS, Redis or gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp

from fakes.gateway import FakeConversations, FakeInbound, FakeLiveEvents
from fakes.gateway_check_ins import FakeCheckIns
from gateway.adapters.local_limiter import LocalRateLimiter
from gateway.main import assemble
from gateway.settings import GatewaySettings
from kit.clock import Clock, SystemClock
from kit.http import HttpServer
from kit.process import Life

SECRET = "a-secret-of-these-tests-0123456789abcdef"


def settings_for_tests(**values: Any) -> GatewaySettings:
    """Return settings without limits that a test would meet by chance."""
    defaults: dict[str, Any] = {
        "secret_key": SECRET, "http_port": 0, "guest_messages_per_minute": 6000, "guest_messages_burst": 1000,
        "address_requests_per_minute": 600_000, "address_requests_burst": 100_000,
    }  # fmt: skip
    return GatewaySettings(**(defaults | values))


@dataclass(slots=True)
class Door:
    """A gateway; what it needs can be looked at and broken."""

    inbound: FakeInbound = field(default_factory=FakeInbound)
    conversations: FakeConversations = field(default_factory=FakeConversations)
    live: FakeLiveEvents = field(default_factory=FakeLiveEvents)
    check_ins: FakeCheckIns = field(init=False)
    life: Life = field(default_factory=lambda: Life("gateway", 1))
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.check_ins = FakeCheckIns(self.conversations)

    def app(self, **settings: Any) -> ASGIApp:
        return assemble(
            settings_for_tests(**settings), self.life, self.clock, self.inbound, self.conversations,
            self.check_ins, self.live, LocalRateLimiter(self.clock),
        )  # fmt: skip

    @asynccontextmanager
    async def client(self, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app(**settings), raise_app_exceptions=False, client=("192.0.2.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://coach.test") as client:
            yield client

    @asynccontextmanager
    async def serving(self, port: int = 0, **settings: Any) -> AsyncIterator[str]:
        """Serve on a free port; yields the address. May be done again after the end."""
        self.life = Life("gateway", 1)
        server = HttpServer(self.app(**settings), "127.0.0.1", port, self.life)
        await server.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            self.life.stop()
            assert await self.life.finish()
