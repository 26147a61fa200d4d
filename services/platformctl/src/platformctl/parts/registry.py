"""The embedded servers by name, in the order in which they start."""

from collections.abc import Callable
from pathlib import Path

from platformctl.parts.base import Part
from platformctl.parts.nats import NatsPart
from platformctl.parts.postgres import PostgresPart
from platformctl.parts.valkey import ValkeyPart

PARTS: dict[str, Callable[[Path, int], Part]] = {
    "postgres": PostgresPart,
    "nats": NatsPart,
    "valkey": ValkeyPart,
}
