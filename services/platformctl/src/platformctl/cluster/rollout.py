"""Waiting until what the cluster was told is true."""

import time
from collections.abc import Callable, Collection

from platformctl.cluster.connect import TIMEOUT, Cluster
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.workloads import COMPONENT, INSTANCE, Workload, troubles, workloads

POLL_SECONDS = 1.0
SAY_SECONDS = 10.0

Say = Callable[[str], None]


def wait_for(
    cluster: Cluster, release: str, components: Collection[str] | None, timeout_seconds: float, say: Say
) -> list[Workload]:
    """Wait until the components (None: all there are) are rolled out. Raises ClusterError that says what is not."""
    pending: list[Workload] = []

    def lacking() -> str:
        nonlocal pending
        found = [item for item in workloads(cluster, release) if components is None or item.component in components]
        pending = [item for item in found if not item.rolled_out]
        if not found:
            return f"release {release} has nothing that could be waited for"
        return ", ".join(_words(item) for item in pending)

    try:
        until(lacking, "Rolling out", timeout_seconds, say)
    except ClusterError as error:
        found = troubles(cluster, release)
        reasons = "; ".join(found[item.component] for item in pending if item.component in found)
        raise ClusterError(f"{error}{f' ({reasons})' if reasons else ''}") from None
    return [item for item in workloads(cluster, release) if components is None or item.component in components]


def _words(item: Workload) -> str:
    return f"{item.component} {item.ready} of {item.wanted}{'' if item.settled else ', and older ones'}"


def wait_for_no_pods(cluster: Cluster, release: str, component: str, timeout_seconds: float, say: Say) -> None:
    """Wait until the last pod is really gone: a Deployment of 0 counts no pod that still drains."""

    def lacking() -> str:
        pods = cluster.core.list_namespaced_pod(
            cluster.namespace, label_selector=f"{INSTANCE}={release},{COMPONENT}={component}", _request_timeout=TIMEOUT
        ).items
        return f"{len(pods)} of {component}" if pods else ""

    until(lacking, "Stopping", timeout_seconds, say)


def until(lacking: Callable[[], str], doing: str, timeout_seconds: float, say: Say) -> None:
    """Ask again until nothing lacks; says what does when that changes. Raises ClusterError at the deadline."""
    began = told_at = time.monotonic()
    told = ""
    while words := lacking():
        now = time.monotonic()
        if now + POLL_SECONDS > began + timeout_seconds:
            raise ClusterError(f"{doing} did not end within {timeout_seconds:g} s: {words}")
        if words != told or now - told_at > SAY_SECONDS:
            say(f"{doing} ({now - began:.0f} s): {words}")
            told, told_at = words, now
        time.sleep(POLL_SECONDS)
