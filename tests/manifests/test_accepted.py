"""What is rendered is accepted: by the API server under pod security `restricted`, and by kubeconform, strict.

Needs a cluster (KUBECONFIG, or the one of this machine); kinds of other projects are held to the schemas in crds/.
"""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.kube_schemas import OWN_KUBECONFIG, kubectl, write
from manifests.rendering import Object, Pod, named, of_kind, pods, program, rendered

CRDS = Path(__file__).parent / "crds"
OTHERS = {"ServiceMonitor", "ScaledObject", "HTTPRoute", "ExternalSecret"}
pytestmark = pytest.mark.guarantee("K8S-manifests")
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """The environment in which kubectl reaches a cluster."""
    config = os.environ.get("KUBECONFIG") or (str(OWN_KUBECONFIG) if OWN_KUBECONFIG.is_file() else "")
    if not config or program("kubectl") is None:
        pytest.skip("no cluster: set KUBECONFIG (`make cluster-up` starts one)")
    found = {**os.environ, "KUBECONFIG": config}
    if kubectl(found, "get", "--raw", "/readyz", "--request-timeout=5s").returncode:
        pytest.skip(f"the cluster of {config} does not answer")
    return found


@pytest.fixture(scope="module")
def namespace(environ: dict[str, str]) -> Iterator[str]:
    """A namespace that refuses pods that are not restricted."""
    name = f"manifests-{uuid.uuid4().hex[:8]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}
    assert kubectl(environ, "create", "--filename", "-", given=json.dumps(body)).returncode == 0
    yield name
    kubectl(environ, "delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def schemas(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of schemas that the API server's own OpenAPI gives."""
    folder = tmp_path_factory.mktemp("schemas")
    groups = {str(found["apiVersion"]) for found in rendered("options") if found["kind"] not in OTHERS}
    write(environ, groups, folder)
    return folder


def moved(objects: list[Object], namespace: str) -> list[Object]:
    """The same in another namespace, without what the cluster lacks: other projects' kinds, a priority class."""
    text = json.dumps([found for found in objects if found["kind"] not in OTHERS])
    text = text.replace('"namespace": "coaching"', f'"namespace": "{namespace}"')
    found: list[Object] = json.loads(text.replace('"priorityClassName": "coach"', '"priorityClassName": ""'))
    return found


def listed(objects: list[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def alone(pod: Pod) -> Object:
    """A workload's pod by itself: the API server only warns of those that a workload would make."""
    claims = pod.owner["spec"].get("volumeClaimTemplates", [])
    volumes = [*pod.spec["volumes"], *({"name": claim["metadata"]["name"], "emptyDir": {}} for claim in claims)]
    metadata = {**pod.metadata, "name": f"{pod.component.name}-alone", "namespace": pod.owner["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**pod.spec, "volumes": volumes}}


def test_the_api_server_accepts_it(objects: list[Object], namespace: str, environ: dict[str, str]) -> None:
    own = moved(objects, namespace)
    # Pods are refused while their accounts are not there.
    kubectl(environ, "apply", "--filename", "-", given=listed(of_kind(own, "ServiceAccount")))
    given = [*(found for found in own if found["kind"] != "ServiceAccount"), *map(alone, pods(own))]
    done = kubectl(environ, "create", "--dry-run=server", "--filename", "-", given=listed(given))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(done.stdout.splitlines()) == len(given)


def test_kubeconform_accepts_it(objects: list[Object], schemas: Path) -> None:
    if program("kubeconform") is None:
        pytest.skip("kubeconform is not installed")
    places = [word for folder in (schemas, CRDS) for word in ("-schema-location", f"{folder}/{TEMPLATE}")]
    done = subprocess.run(
        [str(program("kubeconform")), "-strict", "-summary", "-output", "json", *places, "-"],
        input="\n---\n".join(json.dumps(found) for found in objects), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert not report.get("resources"), report
    assert report["summary"]["valid"] == len(objects)
    assert done.returncode == 0


TEMPLATE = "{{.ResourceKind}}{{.KindSuffix}}.json"


def test_kubeconform_would_refuse_an_unknown_field(schemas: Path) -> None:
    if program("kubeconform") is None:
        pytest.skip("kubeconform is not installed")
    wrong = next(found for found in rendered("laptop") if found["kind"] == "Deployment")
    wrong = {**wrong, "spec": {**wrong["spec"], "replica": 1}}
    done = subprocess.run(
        [str(program("kubeconform")), "-strict", "-schema-location", f"{schemas}/{TEMPLATE}", "-"],
        input=json.dumps(wrong), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0, named(wrong)
    assert "replica" in done.stdout + done.stderr


def test_the_namespace_would_refuse_a_pod_with_rights(namespace: str, environ: dict[str, str]) -> None:
    own = moved(rendered("laptop"), namespace)
    kubectl(environ, "apply", "--filename", "-", given=listed(of_kind(own, "ServiceAccount")))
    wrong = alone(next(pods(own)))
    del wrong["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"]
    done = kubectl(environ, "create", "--dry-run=server", "--filename", "-", given=json.dumps(wrong))
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted' in done.stderr
