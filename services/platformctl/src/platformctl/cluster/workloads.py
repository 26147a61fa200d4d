"""The Deployments and StatefulSets of one release: which there are, whether they are rolled out, and why not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from kubernetes import client

from platformctl.cluster.connect import TIMEOUT, Cluster
from platformctl.cluster.errors import ClusterError

NAME = "app.kubernetes.io/name=coaching-platform"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
VERSION = "app.kubernetes.io/version"

Kind = Literal["Deployment", "StatefulSet"]


@dataclass(frozen=True, slots=True)
class Workload:
    """One component as the cluster has it. `wanted` pods, of which `ready` are; `settled`: nothing old is left."""

    kind: Kind
    name: str
    component: str
    version: str
    images: tuple[str, ...]
    wanted: int
    ready: int
    settled: bool

    @property
    def rolled_out(self) -> bool:
        """Whether every pod that is wanted runs what is wanted, and is ready."""
        return self.settled and self.ready >= self.wanted


def workloads(cluster: Cluster, release: str) -> list[Workload]:
    """The release's, by component. Needs list on deployments and statefulsets."""
    chosen = f"{NAME},{INSTANCE}={release}"
    deployments = cluster.apps.list_namespaced_deployment(
        cluster.namespace, label_selector=chosen, _request_timeout=TIMEOUT
    )
    stateful = cluster.apps.list_namespaced_stateful_set(
        cluster.namespace, label_selector=chosen, _request_timeout=TIMEOUT
    )
    found = [*map(_of_deployment, deployments.items), *map(_of_stateful_set, stateful.items)]
    return sorted(found, key=lambda workload: workload.component)


def releases(cluster: Cluster) -> list[str]:
    """The releases that have a Deployment in the namespace. Needs list on deployments."""
    found = cluster.apps.list_namespaced_deployment(
        cluster.namespace, label_selector=NAME, _request_timeout=TIMEOUT
    ).items
    return sorted({_labels(item.metadata).get(INSTANCE, "") for item in found} - {""})


def the_release(cluster: Cluster, named: str) -> str:
    """The release that is meant: the named one, else the only one. Raises ClusterError when that is not clear."""
    if named:
        return named
    found = releases(cluster)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ClusterError(f"No release of the platform is in namespace {cluster.namespace}. Name it with --release.")
    raise ClusterError(f"Namespace {cluster.namespace} has {', '.join(found)}. Name one with --release.")


def troubles(cluster: Cluster, release: str) -> dict[str, str]:
    """Why pods are not ready, one sentence for each component that has such a pod. Needs list on pods."""
    pods = cluster.core.list_namespaced_pod(
        cluster.namespace, label_selector=f"{INSTANCE}={release}", _request_timeout=TIMEOUT
    ).items
    found: dict[str, str] = {}
    for pod in pods:
        trouble = _trouble(pod)
        if trouble:
            metadata = pod.metadata or client.V1ObjectMeta()
            found.setdefault(_labels(metadata).get(COMPONENT, ""), f"pod {metadata.name}: {trouble}")
    return found


def _of_deployment(item: client.V1Deployment) -> Workload:
    status, wanted = item.status or client.V1DeploymentStatus(), _wanted(item.spec)
    updated, every = status.updated_replicas or 0, status.replicas or 0
    settled = _seen(item, status.observed_generation) and updated == every == wanted
    ready = min(status.available_replicas or 0, updated)
    return _workload("Deployment", item, wanted, ready, settled=settled)


def _of_stateful_set(item: client.V1StatefulSet) -> Workload:
    status, wanted = item.status, _wanted(item.spec)
    if status is None:
        return _workload("StatefulSet", item, wanted, 0, settled=False)
    same = status.update_revision == status.current_revision or (status.updated_replicas or 0) == wanted
    settled = _seen(item, status.observed_generation) and status.replicas == wanted and same
    return _workload("StatefulSet", item, wanted, status.ready_replicas or 0, settled=settled)


def _workload(
    kind: Kind, item: client.V1Deployment | client.V1StatefulSet, wanted: int, ready: int, *, settled: bool
) -> Workload:
    metadata = item.metadata or client.V1ObjectMeta()
    name, labels = metadata.name or "", _labels(metadata)
    pod = item.spec.template.spec
    images = tuple(dict.fromkeys(container.image or "" for container in (pod.containers if pod else [])))
    return Workload(kind, name, labels.get(COMPONENT) or name, labels.get(VERSION, ""), images, wanted, ready, settled)


def _seen(item: client.V1Deployment | client.V1StatefulSet, observed: int | None) -> bool:
    """Whether the controller has seen the newest spec: before, its counts tell of an older one."""
    generation = item.metadata.generation if item.metadata else None
    return observed is not None and observed >= (generation or 0)


def _wanted(spec: client.V1DeploymentSpec | client.V1StatefulSetSpec | None) -> int:
    return 1 if spec is None or spec.replicas is None else spec.replicas


def _labels(metadata: client.V1ObjectMeta | None) -> dict[str, str]:
    return (metadata.labels if metadata else None) or {}


def _trouble(pod: client.V1Pod) -> str:
    """What keeps a pod from being ready: the words of its containers, else of its conditions."""
    status = pod.status
    if status is None or (pod.metadata and pod.metadata.deletion_timestamp) or status.phase == "Succeeded":
        return ""
    for container in [*(status.init_container_statuses or []), *(status.container_statuses or [])]:
        words = _waiting(container)
        if words:
            return words
    if status.phase == "Pending":
        return next(_unmet(status.conditions or []), "pending")
    return ""


def _waiting(container: client.V1ContainerStatus) -> str:
    """Of one container: nothing when it runs, or has not begun to fail."""
    waiting = container.state.waiting if container.state else None
    if waiting is None or waiting.reason in {"PodInitializing", "ContainerCreating"}:
        return ""
    ended = container.last_state.terminated if container.last_state else None
    after = f" after it ended with {ended.exit_code}" if ended else ""
    return f"{container.name} {waiting.reason}{after}"


def _unmet(conditions: Iterable[client.V1PodCondition]) -> Iterator[str]:
    return (f"{item.reason}: {item.message}" for item in conditions if item.status == "False" and item.reason)
