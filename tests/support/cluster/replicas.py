"""Values for more than one of everything: two pods of each service, three servers of NATS with three copies."""

import json
from pathlib import Path
from typing import Any

SERVICES = ("gateway", "coaching", "channelAdapter", "llmInference", "vectorSearch", "web")
# What stays on the first node of two: the stores that are one server, and who uses a volume of that node. NATS's three
# servers are on both, most of them on the first.
STAYS = ("postgresql", "redis", "chroma", "channelAdapter", "migrations")
HOSTNAME = "kubernetes.io/hostname"


def values(first_node: str | None = None) -> dict[str, Any]:
    """Return the values; with a node's name, of a release on two."""
    found: dict[str, Any] = {name: {"replicas": 2} for name in SERVICES}
    found["nats"] = {"replicas": 3, "streamReplicas": 3}
    if first_node is not None:
        for name in STAYS:
            found[name] = {**found.get(name, {}), "nodeSelector": {HOSTNAME: first_node}}
        expression = {"key": HOSTNAME, "operator": "In", "values": [first_node]}
        preferred = [{"weight": 100, "preference": {"matchExpressions": [expression]}}]
        found["nats"] |= {
            "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
            "topologySpread": [{"topologyKey": HOSTNAME, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
        }
    return found


def values_file(folder: Path, first_node: str | None = None) -> Path:
    """Write the values to a file and return it."""
    file = folder / "replicas.json"
    file.write_text(json.dumps(values(first_node)))
    return file
