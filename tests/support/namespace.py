"""A namespace of a real cluster, for the commands that act on one; without KUBECONFIG such tests are skipped."""

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes import client

from platformctl.cluster.connect import Cluster, connected
from platformctl.cluster.workloads import COMPONENT, INSTANCE, VERSION

REASON = "no cluster: set KUBECONFIG, or run `scripts/cluster.sh run .venv/bin/pytest ...`"
needs_cluster = pytest.mark.skipif(not os.environ.get("KUBECONFIG"), reason=REASON)

IMAGE = "python:3.11-slim"
FAST = {"initialDelaySeconds": 0, "periodSeconds": 1}


@contextmanager
def fresh_namespace() -> Iterator[Cluster]:
    """A namespace of its own, removed at the end with all that is in it."""
    name = f"ctl-{secrets.token_hex(4)}"
    with connected(name) as cluster:
        cluster.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
        try:
            yield cluster
        finally:
            cluster.core.delete_namespace(name, grace_period_seconds=0)


def runnable_image() -> str:
    """A reference under which the nodes have, or can pull, an image with a shell and Python."""
    registry, load = os.environ.get("CLUSTER_REGISTRY"), os.environ.get("CLUSTER_LOAD")
    if registry:
        reference = f"{registry}/tests/{IMAGE}"
        subprocess.run(["docker", "tag", IMAGE, reference], check=True)
        subprocess.run(["docker", "push", "--quiet", reference], check=True, stdout=subprocess.DEVNULL)
        return reference
    if load:
        subprocess.run([*load.split(), IMAGE], check=True)
    return IMAGE


@contextmanager
def acting_as(cluster: Cluster, rules: Sequence[dict[str, Any]]) -> Iterator[Cluster]:
    """The same cluster as a service account that has these rights, and no others."""
    name, namespace = f"account-{secrets.token_hex(3)}", cluster.namespace
    rights = client.RbacAuthorizationV1Api(cluster.core.api_client)
    account: Any = {"metadata": {"name": name}}
    role: Any = {"metadata": {"name": name}, "rules": list(rules)}
    binding: Any = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    cluster.core.create_namespaced_service_account(namespace, account)
    rights.create_namespaced_role(namespace, role)
    rights.create_namespaced_role_binding(namespace, binding)
    with connected(namespace) as other:
        other.core.api_client.set_default_header("Impersonate-User", f"system:serviceaccount:{namespace}:{name}")
        yield other


def deploy(
    cluster: Cluster, release: str, component: str, image: str, *, replicas: int = 1, ready: bool = True
) -> None:
    """A Deployment labelled as the chart labels a component; ready at once, or never."""
    _create(cluster.apps.create_namespaced_deployment, cluster, _workload(release, component, image, replicas, ready))


def deploy_store(cluster: Cluster, release: str, component: str, image: str) -> None:
    """The same as a StatefulSet."""
    body = _workload(release, component, image, 1, True)
    body["spec"]["serviceName"] = component
    _create(cluster.apps.create_namespaced_stateful_set, cluster, body)


def _create(create: Any, cluster: Cluster, body: dict[str, Any]) -> None:
    create(cluster.namespace, body)


def _workload(release: str, component: str, image: str, replicas: int, ready: bool) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "coaching-platform", INSTANCE: release, COMPONENT: component}
    probe = {"exec": {"command": ["true" if ready else "false"]}, **FAST}
    container = {"name": component, "image": image, "command": ["sleep", "1d"], "readinessProbe": probe}
    pod = {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False, "containers": [container]}
    return {
        "metadata": {"name": f"{release}-{component}", "labels": {**labels, VERSION: "1.2.3"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
