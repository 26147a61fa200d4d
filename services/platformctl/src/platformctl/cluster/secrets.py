"""The passwords and keys of one release: made once, and never changed by anything here."""

import base64
import secrets
from dataclasses import dataclass

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from platformctl.cluster.connect import CONFLICT, MANAGER, NOT_FOUND, TIMEOUT, Cluster
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.marker import name_of, read

KEYS = (
    "SECRET_KEY",
    "POSTGRES_PASSWORD",
    "GATEWAY_DATABASE_PASSWORD",
    "COACHING_DATABASE_PASSWORD",
    "CHANNELS_DATABASE_PASSWORD",
    "NATS_PASSWORD",
    "REDIS_PASSWORD",
    "CHROMA_TOKEN",
)
# Hexadecimal: safe in a URL, in a configuration file and at the start of an argument.
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Ensured:
    """Whether the Secret was made now, and the keys that it did not have; with a dry run: would be, and lacks."""

    created: bool
    added: tuple[str, ...]


def ensure(cluster: Cluster, name: str, *, release: str = "", dry_run: bool = False) -> Ensured:
    """Make the Secret, or give it the keys that it lacks; a key that is there keeps its value.

    A `release` that was installed before is refused new passwords: its database has the old ones.
    Raises ClusterError; two that run at once end with the same Secret.
    """
    found = _read(cluster, name)
    if found is None:
        if release and read(cluster, release).installed:
            raise ClusterError(
                f"Secret {name} is gone, and ConfigMap {name_of(release)} says that this release was installed with "
                f"it: its database and volumes know the old passwords. Put {name} back; or, to begin with empty ones, "
                f"delete the release's claims and ConfigMap {name_of(release)}."
            )
        if dry_run or _create(cluster, name, release):
            return Ensured(created=True, added=KEYS)
        found = _read(cluster, name)
    lacking = tuple(key for key in KEYS if not (found and found.data and found.data.get(key)))
    if lacking and not dry_run:
        _add(cluster, name, found, lacking)
    return Ensured(created=False, added=lacking)


def _read(cluster: Cluster, name: str) -> client.V1Secret | None:
    try:
        return cluster.core.read_namespaced_secret(name, cluster.namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status == NOT_FOUND:
            return None
        raise


def _create(cluster: Cluster, name: str, release: str) -> bool:
    """Whether it was made; False when another was quicker."""
    labels = {"app.kubernetes.io/managed-by": MANAGER, "app.kubernetes.io/component": "secrets"}
    if release:
        labels["app.kubernetes.io/instance"] = release
    body = client.V1Secret(
        metadata=client.V1ObjectMeta(name=name, labels=labels), type="Opaque", data={key: _fresh() for key in KEYS}
    )
    try:
        cluster.core.create_namespaced_secret(cluster.namespace, body, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status == CONFLICT:
            return False
        raise
    return True


def _add(cluster: Cluster, name: str, found: client.V1Secret | None, lacking: tuple[str, ...]) -> None:
    """Refused by the API server when somebody changed the Secret since it was read."""
    version = found.metadata.resource_version if found and found.metadata else None
    body = {"metadata": {"resourceVersion": version}, "data": {key: _fresh() for key in lacking}}
    cluster.core.patch_namespaced_secret(name, cluster.namespace, body, _request_timeout=TIMEOUT)


def _fresh() -> str:
    return base64.b64encode(secrets.token_hex(SECRET_BYTES).encode("ascii")).decode("ascii")
