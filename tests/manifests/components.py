"""The chart's components, described once: every invariant holds for each of them."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a component's pods belong to."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    JOB = "Job"
    POD = "Pod"


@dataclass(frozen=True, slots=True)
class Component:
    """`image`: of ours; "": a public one. `ports`: name, number. `waits`: for the database before it starts."""

    name: str
    kind: Kind
    image: str = ""
    ports: tuple[tuple[str, int], ...] = ()
    user: int = 10001
    waits: bool = False
    token: bool = False

    @property
    def key(self) -> str:
        """Its key in the values."""
        first, *rest = self.name.split("-")
        return first + "".join(word.capitalize() for word in rest)

    @property
    def lasting(self) -> bool:
        """Whether its pods run on."""
        return self.kind in (Kind.DEPLOYMENT, Kind.STATEFUL_SET)

    @property
    def speaks_grpc(self) -> bool:
        """Whether others call it over gRPC."""
        return ("grpc", 50051) in self.ports


GRPC = (("grpc", 50051), ("http", 8000))
HTTP = (("http", 8000),)

COMPONENTS = (
    Component("gateway", Kind.DEPLOYMENT, "gateway", HTTP, waits=True),
    Component("coaching", Kind.DEPLOYMENT, "coaching", GRPC, waits=True),
    Component("channel-adapter", Kind.DEPLOYMENT, "channel-adapter", GRPC, waits=True),
    Component("llm-inference", Kind.DEPLOYMENT, "llm-inference", GRPC, waits=True),
    Component("vector-search", Kind.DEPLOYMENT, "vector-search", GRPC, waits=True),
    Component("web", Kind.DEPLOYMENT, "web", (("http", 8080),), user=101, waits=True),
    Component("postgresql", Kind.STATEFUL_SET, ports=(("postgresql", 5432),), user=999),
    Component("nats", Kind.STATEFUL_SET, ports=(("nats", 4222), ("cluster", 6222), ("monitor", 8222))),
    Component("redis", Kind.STATEFUL_SET, ports=(("redis", 6379),), user=999),
    Component("chroma", Kind.STATEFUL_SET, ports=HTTP),
    Component("ollama", Kind.STATEFUL_SET, ports=(("http", 11434),)),
    Component("migrations", Kind.JOB, "platformctl", token=True),
    Component("secrets", Kind.JOB, "platformctl", token=True),
    Component("test", Kind.POD, "platformctl"),
)
BY_NAME = {component.name: component for component in COMPONENTS}
STORES = ("postgresql", "nats", "redis", "chroma")
# Components that a set of values leaves out; every other one is rendered.
LEFT_OUT = {
    "default": {"ollama"},
    "laptop": {"ollama"},
    "staging": {"ollama", "secrets"},
    "production": {"ollama", "secrets", *STORES},
    "options": set[str](),
    "gateway-api": {"ollama", "secrets", *STORES},
}
