"""Our services as programs: the table of them, how each is started, when it is ready."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from platformctl.parts.base import Launch

READY_SECONDS = 5.0
# kit's services drain for DRAIN_SECONDS (20 by default) and then close; what is not gone then is killed.
STOP_SPARE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `role` is its login role in the database, `secret` the name of its password; "" when it has none."""

    name: str
    role: str = ""
    secret: str = ""

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"{self.name.replace('-', '_')}.main"


# In the order of their start; they stop the other way round, the public door first.
SERVICES: Final = (
    Service("vector-search"),
    Service("llm-inference"),
    Service("coaching", "coaching_service", "coaching-database"),
    Service("channel-adapter", "channels_service", "channels-database"),
    Service("gateway", "gateway_service", "gateway-database"),
)


@dataclass(frozen=True, slots=True)
class ServiceProgram:
    """A service that the supervisor keeps running."""

    service: Service
    environment: Mapping[str, str]
    http_port: int
    logs: Path
    drain_seconds: float = 20.0

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name

    @property
    def ready_url(self) -> str:
        """The page that says whether it is ready."""
        return f"http://127.0.0.1:{self.http_port}/ready"

    async def prepare(self) -> None:
        """A service prepares itself."""

    def launch(self) -> Launch:
        """Run its module with this interpreter, in the user's folder, without looking for modules there (-P)."""
        return Launch(
            command=(sys.executable, "-P", "-m", self.service.module),
            log_path=self.logs / f"{self.name}.log",
            cwd=Path.cwd(),
            environment=dict(self.environment),
            stop_seconds=self.drain_seconds + STOP_SPARE_SECONDS,
        )

    async def ready(self) -> bool:
        """Whether /ready says so."""
        return await is_ready(self.ready_url)


async def is_ready(url: str) -> bool:
    """Whether the page answers 200 now."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=READY_SECONDS) as client:
            return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
