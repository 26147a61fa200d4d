"""The chart as `helm template` renders it, each set of values once for a run."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from manifests.components import BY_NAME, Component, Kind
from support.tree import ROOT

Object = dict[str, Any]

CHART = ROOT / "deploy/helm/coaching-platform"
VALUES = Path(__file__).parent / "values"
RELEASE = "coach"
NAMESPACE = "coaching"
# Where a cluster of this machine keeps its programs, when they are not on PATH.
CLUSTER_HOME = Path(os.environ.get("CLUSTER_HOME", Path.home() / ".cache/coaching-cluster"))
# Kinds of other projects that the chart can make.
APIS = (
    "monitoring.coreos.com/v1", "keda.sh/v1alpha1", "gateway.networking.k8s.io/v1", "external-secrets.io/v1",
)  # fmt: skip
SITE = VALUES / "site.yaml"
SETS: dict[str, tuple[Path, ...]] = {
    "default": (),
    "laptop": (CHART / "values-laptop.yaml",),
    "staging": (CHART / "values-staging.yaml", SITE),
    "production": (CHART / "values-production.yaml", SITE),
    "options": (VALUES / "options.yaml",),
    "gateway-api": (VALUES / "gateway-api.yaml",),
}
PRESETS = ("default", "laptop", "staging", "production")


class RenderError(Exception):
    """Helm refused; the text is what it said."""


def program(name: str) -> str | None:
    """The path of helm, kubectl or kubeconform, or None; those that came with the cluster fit it best."""
    return shutil.which(name, path=str(CLUSTER_HOME / "bin")) or shutil.which(name)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod template, or a pod, of a component."""

    component: Component
    owner: Object
    metadata: Object
    spec: Object

    @property
    def containers(self) -> list[Object]:
        """Every container, those before the start too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def main(self) -> Object:
        """The component's own container."""
        found: Object = self.spec["containers"][0]
        return found


def render(*files: Path, settings: tuple[str, ...] = (), apis: tuple[str, ...] = APIS) -> list[Object]:
    """All objects; raises RenderError."""
    return list(_rendered(files, settings, apis))


@cache
def _rendered(files: tuple[Path, ...], settings: tuple[str, ...], apis: tuple[str, ...]) -> tuple[Object, ...]:
    words = [str(program("helm")), "template", RELEASE, str(CHART), "--namespace", NAMESPACE]
    words += [word for file in files for word in ("--values", str(file))]
    words += [word for setting in settings for word in ("--set", setting)]
    words += [word for api in apis for word in ("--api-versions", api)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RenderError(done.stderr)
    return tuple(found for found in yaml.safe_load_all(done.stdout) if found)


def rendered(name: str, *settings: str) -> list[Object]:
    """All objects of a set of values, by its name."""
    return render(*SETS[name], settings=settings)


def component_of(found: Object) -> str:
    """The component that an object belongs to, by its label."""
    return str(found["metadata"]["labels"]["app.kubernetes.io/component"])


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [found for found in objects if found["kind"] in kinds]


def pods(objects: list[Object]) -> Iterator[Pod]:
    """The pods of all components."""
    for found in of_kind(objects, *Kind):
        template = found if found["kind"] == "Pod" else found["spec"]["template"]
        yield Pod(BY_NAME[component_of(found)], found, template["metadata"], template["spec"])


def pod(objects: list[Object], name: str) -> Pod:
    """The pod of one component."""
    return next(found for found in pods(objects) if found.component.name == name)


def named(found: Object) -> str:
    """Kind and name, for messages."""
    return f"{found['kind']}/{found['metadata']['name']}"


def environment(container: Object) -> dict[str, Any]:
    """The environment as name and value; a secret's value is where it comes from."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env", [])}
