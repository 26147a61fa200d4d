"""The one table of ports on one machine: what `platformctl up` gives out and what the documentation prints."""

import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import gettempdir
from typing import IO, Final

# Below the ranges from which Linux and macOS take the ports of outgoing connections, so that none is lost between the
# moment it is chosen and the moment a service listens on it.
OTHER_PORTS: Final = range(20000, 32000)
ATTEMPTS: Final = 200


class PortTakenError(Exception):
    """A port that was asked for is in use; the text says what to do."""


REPLICA_STEP: Final = 100


@dataclass(frozen=True, slots=True)
class Port:
    """One port of one part. `setting` is the name under which a person may choose it; empty: not chosen by people.

    `shared`: the part's replicas listen on it together, and each has an `ops` port of its own beside it.
    """

    part: str
    use: str
    default: int
    setting: str = ""
    shared: bool = False

    @property
    def key(self) -> str:
        """The port's name in run.json, such as `coaching.grpc`."""
        return f"{self.part}.{self.use}"


PORTS: Final = (
    Port("gateway", "http", 8080, "PORT", shared=True),
    Port("coaching", "grpc", 50051),
    Port("coaching", "http", 8101),
    Port("channel-adapter", "grpc", 50052),
    Port("channel-adapter", "http", 8102),
    Port("llm-inference", "grpc", 50053),
    Port("llm-inference", "http", 8103),
    Port("vector-search", "grpc", 50054),
    Port("vector-search", "http", 8104),
    Port("postgres", "client", 55432),
    Port("nats", "client", 54222),
    Port("nats", "monitor", 58222),
    Port("valkey", "client", 56379),
)


# For /health, /ready and /metrics of one process among several that share a door.
OPS_PORTS: Final = {"gateway": 8100}


def part_name(part: str, number: int) -> str:
    """What a replica is called everywhere: the first one as the part itself, the second `coaching-2`."""
    return part if number == 1 else f"{part}-{number}"


def with_replicas(copies: Mapping[str, int], table: Iterable[Port] = PORTS) -> tuple[Port, ...]:
    """The table for several replicas; `copies` says how many, by part, one where it is silent.

    A replica's defaults are those of the one before it, and a hundred.
    """
    first = tuple(table)
    more = []
    for port in first:
        numbers = range(1, copies.get(port.part, 1) + 1)
        if port.shared and len(numbers) > 1:
            default = OPS_PORTS[port.part]
            more += [Port(part_name(port.part, n), "ops", default + REPLICA_STEP * (n - 1)) for n in numbers]
        elif not port.shared:
            more += [
                Port(part_name(port.part, n), port.use, port.default + REPLICA_STEP * (n - 1)) for n in numbers[1:]
            ]
    return (*first, *more)


class PortClaims:
    """Ports that this process has chosen, locked against others that choose at the same moment; close() frees them."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(gettempdir()) / "coaching-platform-ports"
        self._locks: dict[int, IO[bytes]] = {}

    def take(self, port: int, host: str = "127.0.0.1") -> bool:
        """Claim `port` if nobody listens on it and nobody else has claimed it."""
        if port in self._locks or not is_free(port, host):
            return False
        self._folder.mkdir(mode=0o1777, parents=True, exist_ok=True)
        try:
            lock = (self._folder / str(port)).open("ab")
        except PermissionError:  # another user's claim, perhaps of a process that is gone: the port itself is free
            return True
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._locks[port] = lock
        return True

    def take_any(self, host: str = "127.0.0.1") -> int:
        """Claim some free port. Raises PortTakenError when many attempts find none."""
        for port in random.sample(OTHER_PORTS, ATTEMPTS):
            if self.take(port, host):
                return port
        raise PortTakenError(f"no free port was found between {OTHER_PORTS.start} and {OTHER_PORTS.stop}")

    def close(self) -> None:
        """Give the claims back."""
        for lock in self._locks.values():
            lock.close()
        self._locks.clear()


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def allocate(
    claims: PortClaims, chosen: Mapping[str, int], hosts: Mapping[str, str] | None = None, table: Iterable[Port] = PORTS
) -> dict[str, int]:
    """Give every port of the table a number: the chosen one, else the default if it is free, else any free one.

    `chosen` is keyed by the setting's name, `hosts` by part (127.0.0.1 where missing).
    Raises PortTakenError when a chosen port is in use.
    """
    given: dict[str, int] = {}
    for port in table:
        host = (hosts or {}).get(port.part, "127.0.0.1")
        wanted = chosen.get(port.setting) if port.setting else None
        if wanted is not None:
            if not claims.take(wanted, host):
                raise PortTakenError(
                    f"{port.setting}={wanted} is in use by another program. "
                    f"Choose another, for example {port.setting}={wanted + 1}, or leave it out to take any free port."
                )
            given[port.key] = wanted
        else:
            given[port.key] = port.default if claims.take(port.default, host) else claims.take_any(host)
    return given
