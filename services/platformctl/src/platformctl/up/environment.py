"""The environment of each service: the user's own, and above it what only `up` can know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from platformctl.parts.secrets import secret
from platformctl.ports import part_name
from platformctl.up.cores import inference_threads
from platformctl.up.services import SERVICES, Replica

LOOPBACK = "127.0.0.1"
# What would give a service another's port or the owner's rights if the user's value reached it.
OURS = (
    "HTTP_PORT",
    "GRPC_PORT",
    "OPS_PORT",
    "BIND_HOST",
    "PORT",
    "DATABASE_URL",
    "NATS_URL",
    "REDIS_URL",
    "GATEWAY_DATABASE_PASSWORD",
    "COACHING_DATABASE_PASSWORD",
    "CHANNELS_DATABASE_PASSWORD",
    *(
        f"{name.replace('-', '_').upper()}_ADDRESS"
        for name in ("coaching", "channel-adapter", "llm-inference", "vector-search")
    ),
)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the stores are, credentials included; `database` as the owner of the schemas."""

    database: str
    nats: str
    redis: str


def role_passwords(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The login roles' passwords by name of the setting: the user's, else generated ones."""
    return {
        setting: _given(environ, setting) or secret(data, service.secret)
        for service in SERVICES
        if service.role and (setting := f"{service.secret.replace('-', '_').upper()}_PASSWORD")
    }


def as_role(url: str, role: str, password: str) -> str:
    """The same database as another user; options such as sslmode stay."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{host}"))


def defaults(data: Path, cores: int, replicas: int = 1) -> dict[str, str]:
    """What the user may set and otherwise follows from the data folder, the machine and how many share it."""
    return {
        "UPLOADS_DIR": str(data / "uploads"),
        "VECTORS_DIR": str(data / "vectors"),
        "LLM_SLOTS_DIR": str(data / "llm-slots"),
        "LLM_THREADS": str(max(1, inference_threads(cores) // replicas)),
        "PYTHONUNBUFFERED": "1",
    }


def compose(
    replica: Replica,
    environ: Mapping[str, str],
    ports: Mapping[str, int],
    stores: Stores,
    passwords: Mapping[str, str],
    settings: Mapping[str, str],
) -> dict[str, str]:
    """Everything that one process of a service is started with. `settings` win over the user's."""
    service, door = replica.service, replica.service.name == "gateway"
    ours = {
        "HTTP_PORT": str(replica.door(ports) if door else replica.ops(ports)),
        "BIND_HOST": (_given(environ, "BIND_HOST") or LOOPBACK) if door else LOOPBACK,
        **_addresses(ports),
        **settings,
    }
    if not door:
        ours["GRPC_PORT"] = str(replica.door(ports))
    elif replica.of > 1:
        ours["OPS_PORT"] = str(replica.ops(ports))
    if service.role:
        password = passwords[f"{service.secret.replace('-', '_').upper()}_PASSWORD"]
        ours["DATABASE_URL"] = as_role(stores.database, service.role, password)
        ours |= {"NATS_URL": stores.nats, "REDIS_URL": stores.redis}
    ours |= _apart(replica, ours, environ)
    return without(environ, (*OURS, *ours)) | ours


def _apart(replica: Replica, ours: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """What the replicas of one service must not share, and what tells them apart in traces."""
    if replica.of == 1:
        return {}
    told = _given(environ, "OTEL_RESOURCE_ATTRIBUTES")
    apart = {"OTEL_RESOURCE_ATTRIBUTES": ",".join(filter(None, (told, f"service.instance.id={replica.name}")))}
    slots = ours.get("LLM_SLOTS_DIR") or _given(environ, "LLM_SLOTS_DIR")
    if slots:
        apart["LLM_SLOTS_DIR"] = part_name(slots, replica.number)
    return apart


def without(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The environment without these names in any case: settings are read case-insensitively."""
    unwanted = {name.upper() for name in names}
    return {name: value for name, value in environ.items() if name.upper() not in unwanted}


def missing(environ: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the wanted values that the user has not set."""
    return {name: value for name, value in wanted.items() if not _given(environ, name)}


def _given(environ: Mapping[str, str], name: str) -> str:
    return next((value for key, value in environ.items() if key.upper() == name and value), "")


def _addresses(ports: Mapping[str, int]) -> dict[str, str]:
    return {
        f"{service.name.replace('-', '_').upper()}_ADDRESS": grpc_address(ports, service.name)
        for service in SERVICES
        if f"{service.name}.grpc" in ports
    }


def grpc_address(ports: Mapping[str, int], part: str) -> str:
    """Where the part answers gRPC: host:port of each of its replicas, separated by commas."""
    keys = takewhile(ports.__contains__, (f"{part_name(part, number)}.grpc" for number in count(1)))
    return ",".join(f"{LOOPBACK}:{ports[key]}" for key in keys)
