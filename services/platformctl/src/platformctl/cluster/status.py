"""One release as an operator wants to see it: what is installed, what runs, and what went wrong last."""

from dataclasses import dataclass

from platformctl.cluster import marker
from platformctl.cluster.connect import Cluster
from platformctl.cluster.marker import Marker
from platformctl.cluster.workloads import Workload, troubles, workloads


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """`troubles` names a reason for each component that has a pod which is not ready for one."""

    namespace: str
    release: str
    marker: Marker
    workloads: list[Workload]
    troubles: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether everything is rolled out, and the last preparation went well."""
        rolled_out = bool(self.workloads) and all(item.rolled_out for item in self.workloads)
        return rolled_out and not self.marker.failed_step


def status_of(cluster: Cluster, release: str) -> ReleaseStatus:
    """Ask the cluster. Needs list on deployments, statefulsets and pods, and get on configmaps."""
    found = workloads(cluster, release)
    reasons = troubles(cluster, release) if not all(item.rolled_out for item in found) else {}
    return ReleaseStatus(cluster.namespace, release, marker.read(cluster, release), found, reasons)
