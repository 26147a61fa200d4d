"""The cluster that the tests were given by `make cluster-test`: where it is, and how images reach it."""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from support.cluster.programs import attempt

PROGRAMS = ("kubectl", "helm", "docker")
REPOSITORY = "coaching-platform"
HOW = "`make cluster-test` finds or starts one; scripts/cluster.sh says in which order it looks."


class PlaceError(Exception):
    """There is nothing to run on; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """`registry`: images go there and come from there; "": `load` brings them in. `tool` makes and loses nodes."""

    kind: str
    registry: str
    load: tuple[str, ...]
    tool: Path | None

    def image(self, name: str, tag: str) -> str:
        """Return the full name of one of our images."""
        return "/".join(part for part in (self.registry, REPOSITORY, f"{name}:{tag}") if part)


def find() -> Place:
    """Return the cluster of the environment; raises PlaceError."""
    if not os.environ.get("KUBECONFIG"):
        raise PlaceError(f"no cluster: KUBECONFIG is not set. {HOW}")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise PlaceError(f"not on PATH: {', '.join(missing)}. {HOW}")
    answer = attempt("kubectl", "get", "--raw", "/readyz", seconds=20)
    if answer.status:
        raise PlaceError(f"the cluster of {os.environ['KUBECONFIG']} does not answer: {answer.err.strip()}. {HOW}")
    registry = os.environ.get("CLUSTER_REGISTRY") or os.environ.get("SKAFFOLD_DEFAULT_REPO", "")
    load = tuple(shlex.split(os.environ.get("CLUSTER_LOAD", "")))
    if not registry and not load:
        raise PlaceError(
            "images cannot reach the cluster: set CLUSTER_REGISTRY=HOST/PATH to a registry that this machine pushes to "
            "and the nodes pull from"
        )
    tool = os.environ.get("CLUSTER_TOOL")
    return Place(os.environ.get("CLUSTER_KIND", "given"), registry.rstrip("/"), load, Path(tool) if tool else None)
