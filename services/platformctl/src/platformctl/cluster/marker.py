"""What is installed, kept in a ConfigMap that outlives the release; and the changes to it that would lose data."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from platformctl.cluster.connect import MANAGER, NOT_FOUND, TIMEOUT, Cluster

LONGEST_ERROR = 1000


class Database(StrEnum):
    """Whose database it is: the chart's own, or one that the operator named."""

    BUNDLED = "bundled"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Marker:
    """One installed release; an empty text is what is not known. `failed_*` tell of the last run, if it failed."""

    revision: str = ""
    database: str = ""
    chart: str = ""
    app: str = ""
    embedding_model: str = ""
    stream_replicas: str = ""
    at: str = ""
    failed_step: str = ""
    failed_error: str = ""
    failed_app: str = ""
    failed_at: str = ""

    def now(self) -> "Marker":
        """The same, installed at this moment."""
        return replace(self, at=_now())

    def failed(self, step: str, error: str, app: str) -> "Marker":
        """The same installation, with what its last run failed with."""
        return replace(self, failed_step=step, failed_error=error[:LONGEST_ERROR], failed_app=app, failed_at=_now())

    @property
    def installed(self) -> bool:
        """Whether a run has ever ended well."""
        return bool(self.revision)


def refused(before: Marker, wanted: Marker, current: str | None, allowed: frozenset[str]) -> list[str]:
    """Why going from one installation to another would lose data, as sentences; each names what would allow it.

    `current` is the revision of the database that is wanted, None for an empty one.
    """
    found = []
    if before.installed and current is None and "empty-database" not in allowed:
        moved = before.database != wanted.database
        found.append(
            f"This release was installed with data at revision {before.revision} in a database that was "
            f"{before.database or 'somewhere'}; "
            + (
                f"the {wanted.database} one is empty. Copy the data there first"
                if moved
                else "it is empty now. Restore it"
            )
            + ", or allow empty-database to begin anew."
        )
    if _fewer(before.stream_replicas, wanted.stream_replicas) and "fewer-stream-replicas" not in allowed:
        found.append(
            f"Each stream is kept by {before.stream_replicas} servers, and would be by {wanted.stream_replicas}: the "
            "loss of one could then lose messages. Allow fewer-stream-replicas if that is meant."
        )
    return found


def _fewer(before: str, wanted: str) -> bool:
    return before.isdecimal() and wanted.isdecimal() and int(wanted) < int(before)


def name_of(release: str) -> str:
    """The marker's ConfigMap."""
    return f"{release}-installed"


def read(cluster: Cluster, release: str) -> Marker:
    """What is installed; an empty marker when nothing ever was."""
    try:
        found = cluster.core.read_namespaced_config_map(name_of(release), cluster.namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status == NOT_FOUND:
            return Marker()
        raise
    data = found.data or {}
    return Marker(**{field.name: data.get(_key(field.name), "") for field in fields(Marker)})


def write(cluster: Cluster, release: str, marker: Marker) -> None:
    """Replace what the ConfigMap says, or make it. It has no owner: uninstalling leaves it."""
    name = name_of(release)
    labels = {
        "app.kubernetes.io/managed-by": MANAGER,
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/component": "marker",
    }
    body = client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name=name, labels=labels),
        data={_key(key): value for key, value in asdict(marker).items() if value},
    )
    try:
        cluster.core.replace_namespaced_config_map(name, cluster.namespace, body, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
        cluster.core.create_namespaced_config_map(cluster.namespace, body, _request_timeout=TIMEOUT)


def _key(field: str) -> str:
    """`stream_replicas` -> `streamReplicas`, as Kubernetes writes names."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
