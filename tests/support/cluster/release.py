"""One release of the chart: installed, upgraded, rolled back and removed with helm, 3 or 4."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.cluster.programs import CommandError, Kube, Object, attempt, run
from support.tree import ROOT

CHART = ROOT / "deploy/helm/coaching-platform"
LAPTOP = CHART / "values-laptop.yaml"
NAME = "coach"
HEAD = "coaching-platform/schema-revision"  # an annotation of the chart
SECONDS = 420
GRACE_SECONDS = 90
WORKLOADS = "deployments,statefulsets"
# What a controller writes into its own object; everything else that changes is ours.
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


@dataclass(frozen=True, slots=True)
class Release:
    """`values`: files and "--set" pairs of every install and upgrade, later ones win."""

    kube: Kube
    files: tuple[Path, ...]
    settings: tuple[str, ...]
    helm: str = "helm"
    chart: Path = CHART
    name: str = NAME

    def with_settings(self, *settings: str) -> "Release":
        """Return the same with more "--set" pairs."""
        return replace(self, settings=(*self.settings, *settings))

    def with_files(self, *files: Path) -> "Release":
        """Return the same with more values files."""
        return replace(self, files=(*self.files, *files))

    def _values(self) -> list[str]:
        words = [word for file in self.files for word in ("--values", str(file))]
        return [*words, *(word for pair in self.settings for word in ("--set", pair))]

    def _helm(self, *words: str, seconds: float = SECONDS + 60) -> str:
        return run(self.helm, "--namespace", self.kube.namespace, *words, seconds=seconds)

    def install(self) -> str:
        """Install and wait until everything is ready; returns what helm printed."""
        return self._helm("install", self.name, str(self.chart), *self._values(), "--wait", "--timeout", f"{SECONDS}s")

    def upgrade(self, *words: str, seconds: int = SECONDS) -> str:
        """Upgrade and wait until everything is ready; raises CommandError."""
        return self._helm(
            "upgrade", self.name, str(self.chart), *self._values(), "--wait", "--timeout", f"{seconds}s", *words,
            seconds=seconds + 60,
        )  # fmt: skip

    def rollback(self, revision: int) -> str:
        """Go back to an earlier revision and wait."""
        return self._helm("rollback", self.name, str(revision), "--wait", "--timeout", f"{SECONDS}s")

    def test(self) -> str:
        """Run `helm test`; its pod's log is in the error when it fails (helm removes the pod of one that passes)."""
        try:
            return self._helm("test", self.name, "--timeout", "180s", seconds=240)
        except CommandError as error:
            log = attempt("kubectl", "--namespace", self.kube.namespace, "logs", self.object("test"), "--tail=50")
            raise CommandError(("helm", "test"), error.status, f"{error.said}\n{log.out}{log.err}") from None

    def uninstall(self) -> None:
        """Remove the release and wait until its pods are gone, too; does nothing where there is none."""
        self._helm("uninstall", self.name, "--ignore-not-found", "--wait", "--timeout", "180s", seconds=240)
        end = time.monotonic() + GRACE_SECONDS  # Helm waits for what it removed itself; pods finish what they began
        while pods := self.kube.list("pods", self.selector):
            assert time.monotonic() < end, [pod["metadata"]["name"] for pod in pods]
            time.sleep(1)

    def revision(self) -> int:
        """Return the number of the release's last revision; 0: not installed."""
        told = attempt(
            self.helm, "--namespace", self.kube.namespace, "history", self.name, "--output", "json", "--max=1"
        )
        return int(json.loads(told.out)[-1]["revision"]) if told.status == 0 else 0

    @property
    def selector(self) -> str:
        """The label of everything that the chart made."""
        return f"app.kubernetes.io/instance={self.name}"

    def object(self, component: str) -> str:
        """Return the name of a component's objects."""
        return f"{self.name}-{component}"

    @property
    def head(self) -> str:
        """The schema revision that the chart's services wait for."""
        line = next(line for line in (self.chart / "Chart.yaml").read_text().splitlines() if HEAD in line)
        return line.split(":")[1].strip().strip('"')

    def pods(self, component: str = "") -> list[Object]:
        """Return the pods that are not of jobs and not on their way out."""
        selector = f"{self.selector},app.kubernetes.io/component={component}" if component else self.selector
        return [
            pod for pod in self.kube.list("pods", selector)
            if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in ("Succeeded", "Failed")
            and not _of_job(pod)
        ]  # fmt: skip

    def pod_uids(self) -> dict[str, str]:
        """Return the uid of each pod, by name."""
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in self.pods()}

    def generations(self) -> dict[str, int]:
        """Return metadata.generation of every object of the release that has one."""
        kinds = (
            f"{WORKLOADS},daemonsets,jobs,cronjobs,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,"
            "ingresses,persistentvolumeclaims"
        )
        return {
            f"{found['kind']}/{found['metadata']['name']}": found["metadata"]["generation"]
            for found in self.kube.list(kinds, self.selector)
            if "generation" in found["metadata"]
        }

    def workloads(self) -> list[Object]:
        """Return Deployments and StatefulSets."""
        return self.kube.list(WORKLOADS, self.selector)

    def wait_ready(self, seconds: int = 240) -> None:
        """Wait until every workload is rolled out."""
        for found in self.workloads():
            self.kube.rolled_out(f"{found['kind'].lower()}/{found['metadata']['name']}", seconds)


def _of_job(pod: Object) -> bool:
    owners: Sequence[Any] = pod["metadata"].get("ownerReferences", ())
    return any(owner["kind"] == "Job" for owner in owners)
