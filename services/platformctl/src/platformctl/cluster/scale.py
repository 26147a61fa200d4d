"""Stop the services of a release in order, and start them again with as many pods as they had."""

from dataclasses import dataclass
from typing import Final

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from platformctl.cluster.connect import MANAGER, NOT_FOUND, TIMEOUT, Cluster
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.rollout import Say, wait_for, wait_for_no_pods
from platformctl.cluster.workloads import INSTANCE, Workload, workloads

# Who takes work from people stops first, who is asked by others last; they start the other way round. A service that is
# not named here stops with the last ones. Stores stay, unless they are asked for.
SERVICES: Final = ("web", "gateway", "channel-adapter", "coaching", "llm-inference", "vector-search")
STORES: Final = ("ollama", "chroma", "redis", "nats", "postgresql")


@dataclass(frozen=True, slots=True)
class Move:
    """One component on its way from so many pods to so many."""

    workload: Workload
    to: int


def name_of(release: str) -> str:
    """The ConfigMap that keeps how many pods each had; it is there while the release is scaled down."""
    return f"{release}-scaled-down"


def plan_down(cluster: Cluster, release: str, *, stores: bool) -> list[Move]:
    """What would stop, in order."""
    found = [item for item in workloads(cluster, release) if item.wanted and (stores or item.component not in STORES)]
    return [Move(item, 0) for item in sorted(found, key=_place)]


def plan_up(cluster: Cluster, release: str) -> list[Move]:
    """What would start, in order, each to what it had before it was stopped."""
    kept = _read(cluster, release)
    found = [Move(item, kept[_key(item)]) for item in workloads(cluster, release) if _key(item) in kept]
    return sorted(found, key=lambda move: _place(move.workload), reverse=True)


def down(cluster: Cluster, release: str, moves: list[Move], timeout_seconds: float, say: Say) -> None:
    """Stop them one after the other, each to its last pod. What they had is written down before the first one stops."""
    if not moves:
        return
    _write(cluster, release, _read(cluster, release) | {_key(move.workload): move.workload.wanted for move in moves})
    for move in moves:
        say(f"{move.workload.component}: {move.workload.wanted} -> 0")
        _scale(cluster, move.workload, 0)
        wait_for_no_pods(cluster, release, move.workload.component, timeout_seconds, say)


def up(cluster: Cluster, release: str, moves: list[Move], timeout_seconds: float, say: Say) -> None:
    """Start them one after the other, each until it is ready; then forget what they had."""
    for move in moves:
        # Somebody may have started it meanwhile, or an autoscaler may want more by now.
        if move.workload.wanted < move.to:
            say(f"{move.workload.component}: {move.workload.wanted} -> {move.to}")
            _scale(cluster, move.workload, move.to)
        wait_for(cluster, release, {move.workload.component}, timeout_seconds, say)
    _forget(cluster, release)


def _place(workload: Workload) -> int:
    order = (*SERVICES, "", *STORES)
    return order.index(workload.component if workload.component in order else "")


def _scale(cluster: Cluster, workload: Workload, replicas: int) -> None:
    body = {"spec": {"replicas": replicas}}
    if workload.kind == "Deployment":
        cluster.apps.patch_namespaced_deployment_scale(workload.name, cluster.namespace, body, _request_timeout=TIMEOUT)
    else:
        cluster.apps.patch_namespaced_stateful_set_scale(
            workload.name, cluster.namespace, body, _request_timeout=TIMEOUT
        )


def _key(workload: Workload) -> str:
    return f"{workload.kind}.{workload.name}"


def _read(cluster: Cluster, release: str) -> dict[str, int]:
    try:
        found = cluster.core.read_namespaced_config_map(name_of(release), cluster.namespace, _request_timeout=TIMEOUT)
        return {key: int(count) for key, count in (found.data or {}).items()}
    except ApiException as error:
        if error.status == NOT_FOUND:
            return {}
        raise
    except ValueError:
        raise ClusterError(f"ConfigMap {name_of(release)} holds something that is no number of pods.") from None


def _write(cluster: Cluster, release: str, counts: dict[str, int]) -> None:
    name = name_of(release)
    labels = {"app.kubernetes.io/managed-by": MANAGER, INSTANCE: release}
    data = {key: str(count) for key, count in counts.items()}
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)
    try:
        cluster.core.replace_namespaced_config_map(name, cluster.namespace, body, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
        cluster.core.create_namespaced_config_map(cluster.namespace, body, _request_timeout=TIMEOUT)


def _forget(cluster: Cluster, release: str) -> None:
    try:
        cluster.core.delete_namespaced_config_map(name_of(release), cluster.namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
