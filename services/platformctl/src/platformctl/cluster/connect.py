"""One connection to the API server, and its refusals as sentences."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3.exceptions
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from platformctl.cluster.errors import ClusterError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
TIMEOUT = (CONNECT_SECONDS, READ_SECONDS)
# What is made here says so in its label app.kubernetes.io/managed-by.
MANAGER = "platformctl"
NOT_FOUND = 404
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Cluster:
    """The parts of the API that are used here, and the namespace that is meant when none is named."""

    core: client.CoreV1Api
    apps: client.AppsV1Api
    batch: client.BatchV1Api
    namespace: str


@contextmanager
def connected(namespace: str | None = None) -> Iterator[Cluster]:
    """The cluster of KUBECONFIG where it is set, else the one this pod runs in, else that of ~/.kube/config.

    Raises ClusterError, also for whatever the API server refuses while the body runs.
    """
    with _configured() as (api, default), refusals():
        chosen = namespace or os.environ.get("POD_NAMESPACE") or default
        yield Cluster(client.CoreV1Api(api), client.AppsV1Api(api), client.BatchV1Api(api), chosen)


@contextmanager
def _configured() -> Iterator[tuple[client.ApiClient, str]]:
    settings = client.Configuration()
    settings.retries = 1
    try:
        if not os.environ.get("KUBECONFIG") and (ACCOUNT / "token").is_file():
            config.load_incluster_config(client_configuration=settings)
            default = (ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
        else:
            config.load_kube_config(client_configuration=settings)
            _, context = config.list_kube_config_contexts()
            default = context["context"].get("namespace") or "default"
    except (config.ConfigException, OSError) as error:
        raise ClusterError(f"No cluster is configured ({error}). Set KUBECONFIG to a file that names one.") from None
    api = client.ApiClient(settings)
    try:
        yield api, default
    finally:
        api.close()


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the API server and the way to it refuse into a ClusterError."""
    try:
        yield
    except ApiException as error:
        raise ClusterError(f"The cluster refused: {said(error)}.") from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ClusterError(f"The cluster cannot be reached ({type(error).__name__}). Check KUBECONFIG.") from None


def said(error: ApiException) -> str:
    """The API server's own sentence, without the body it came in."""
    try:
        message = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        message = None
    return str(message or f"{error.status} {error.reason}").rstrip(".")
