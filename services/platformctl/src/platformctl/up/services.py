"""Our services as programs: the table of them, how each is started, when it is ready."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from platformctl.parts.base import Launch
from platformctl.ports import part_name

READY_SECONDS = 5.0
# kit's services drain for DRAIN_SECONDS (20 by default) and then close; what is not gone then is killed.
STOP_SPARE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `role` is its login role in the database, `secret` the name of its password; "" when it has none.

    `replicated`: it keeps nothing of its own, so that several processes of it may run side by side.
    """

    name: str
    role: str = ""
    secret: str = ""
    replicated: bool = True

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"{self.name.replace('-', '_')}.main"


# In the order of their start; they stop the other way round, the public door first.
SERVICES: Final = (
    Service("vector-search", replicated=False),  # the folder of its index is one process's
    Service("llm-inference"),
    Service("coaching", "coaching_service", "coaching-database"),
    Service("channel-adapter", "channels_service", "channels-database"),
    Service("gateway", "gateway_service", "gateway-database"),
)


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service, by its number; `of` says how many there are."""

    service: Service
    number: int = 1
    of: int = 1

    @property
    def name(self) -> str:
        """The first one has the service's name, the others their number behind it."""
        return part_name(self.service.name, self.number)

    def door(self, ports: Mapping[str, int]) -> int:
        """The port that others talk to it on; one that all replicas share is in the first one's name."""
        return ports.get(f"{self.name}.grpc") or ports[f"{self.service.name}.http"]

    def ops(self, ports: Mapping[str, int]) -> int:
        """The port of /health, /ready and /metrics, which is this process's alone."""
        return ports.get(f"{self.name}.ops") or ports[f"{self.name}.http"]


def replicas_of(services: Iterable[Service], count: int) -> list[Replica]:
    """Every process, in the order of the services: `count` of each service that may have several."""
    numbers = {service: count if service.replicated else 1 for service in services}
    return [Replica(service, number, most) for service, most in numbers.items() for number in range(1, most + 1)]


@dataclass(frozen=True, slots=True)
class ServiceProgram:
    """A process of a service that the supervisor keeps running; `ops_port` has the page that says it is ready."""

    replica: Replica
    environment: Mapping[str, str]
    ops_port: int
    logs: Path
    drain_seconds: float = 20.0

    @property
    def name(self) -> str:
        """The replica's name."""
        return self.replica.name

    @property
    def ready_url(self) -> str:
        """The page that says whether it is ready."""
        return f"http://127.0.0.1:{self.ops_port}/ready"

    async def prepare(self) -> None:
        """A service prepares itself."""

    def launch(self) -> Launch:
        """Run its module with this interpreter, in the user's folder, without looking for modules there (-P)."""
        return Launch(
            command=(sys.executable, "-P", "-m", self.replica.service.module),
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
