"""What runs in a real cluster: versions, status, waiting, and scaling down and up in order."""

import json
from collections.abc import Iterator
from itertools import count

import pytest
from typer.testing import CliRunner, Result

from platformctl.cluster import marker, scale
from platformctl.cluster.connect import Cluster
from platformctl.cluster.errors import ClusterError
from platformctl.cluster.marker import Marker
from platformctl.cluster.rollout import wait_for
from platformctl.cluster.workloads import the_release, workloads
from platformctl.main import app
from support.namespace import acting_as, deploy, deploy_store, fresh_namespace, needs_cluster, runnable_image

pytestmark = [needs_cluster, pytest.mark.timeout(600)]
SECONDS = 240.0
_numbers = count(1)

LOOK = [
    {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
]


@pytest.fixture(scope="module")
def image() -> str:
    return runnable_image()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with fresh_namespace() as found:
        yield found


@pytest.fixture
def release() -> str:
    return f"coach{next(_numbers)}"


def platformctl(cluster: Cluster, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--namespace", cluster.namespace], env={"RELEASE": ""})


def counts(cluster: Cluster, release: str) -> dict[str, int]:
    return {item.component: item.wanted for item in workloads(cluster, release)}


def test_scaling_down_and_up_goes_in_order_and_remembers(cluster: Cluster, release: str, image: str) -> None:
    for component, replicas in (("gateway", 2), ("coaching", 1), ("vector-search", 1)):
        deploy(cluster, release, component, image, replicas=replicas)
    deploy_store(cluster, release, "postgresql", image)
    before = counts(cluster, release)
    rules = [
        *LOOK,
        {"apiGroups": ["apps"], "resources": ["deployments/scale", "statefulsets/scale"], "verbs": ["patch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": [scale.name_of(release)],
            "verbs": ["get", "update", "delete"],
        },
    ]
    said: list[str] = []
    with acting_as(cluster, rules) as account:
        wait_for(account, release, None, SECONDS, print)
        moves = scale.plan_down(account, release, stores=False)
        assert [move.workload.component for move in moves] == ["gateway", "coaching", "vector-search"]
        scale.down(account, release, moves, SECONDS, said.append)
        assert counts(cluster, release) == {"gateway": 0, "coaching": 0, "vector-search": 0, "postgresql": 1}
        chosen = f"app.kubernetes.io/instance={release}"
        assert len(cluster.core.list_namespaced_pod(cluster.namespace, label_selector=chosen).items) == 1
        # A second time, with the stores: what the services had is not forgotten.
        scale.down(account, release, scale.plan_down(account, release, stores=True), SECONDS, said.append)
        moves = scale.plan_up(account, release)
        assert [move.workload.component for move in moves] == ["postgresql", "vector-search", "coaching", "gateway"]
        scale.up(account, release, moves, SECONDS, said.append)
        assert counts(cluster, release) == before
        assert all(item.rolled_out for item in workloads(account, release))
        assert scale.plan_up(account, release) == []
    assert [line for line in said if "->" in line] == [
        "gateway: 2 -> 0", "coaching: 1 -> 0", "vector-search: 1 -> 0", "postgresql: 1 -> 0",
        "postgresql: 0 -> 1", "vector-search: 0 -> 1", "coaching: 0 -> 1", "gateway: 0 -> 2",
    ]  # fmt: skip


def test_waiting_names_what_is_not_ready_and_why(cluster: Cluster, release: str, image: str) -> None:
    deploy(cluster, release, "gateway", image)
    deploy(cluster, release, "coaching", "localhost:15000/there-is-no/such-image:1")
    with acting_as(cluster, LOOK) as account:
        wait_for(account, release, {"gateway"}, SECONDS, print)
        with pytest.raises(
            ClusterError, match=r"within 12 s: coaching 0 of 1 \(pod .*coaching (ErrImagePull|ImagePullBackOff)"
        ):
            wait_for(account, release, None, 12, print)
        with pytest.raises(ClusterError, match="nothing that could be waited for"):
            wait_for(account, "another", None, 0, print)


def test_a_rollout_that_has_not_replaced_every_pod_is_not_over(cluster: Cluster, release: str, image: str) -> None:
    deploy(cluster, release, "gateway", image)
    wait_for(cluster, release, None, SECONDS, print)
    never = {"containers": [{"name": "gateway", "readinessProbe": {"exec": {"command": ["false"]}}}]}
    body = {"spec": {"template": {"spec": never}}}
    cluster.apps.patch_namespaced_deployment(f"{release}-gateway", cluster.namespace, body)
    (found,) = workloads(cluster, release)  # asked at once: the controller may not have seen it yet
    assert not found.rolled_out
    with pytest.raises(ClusterError, match="gateway 1 of 1, and older ones"):
        wait_for(cluster, release, None, 3, print)


def test_status_tells_of_a_migration_that_failed_while_all_runs(cluster: Cluster, release: str, image: str) -> None:
    deploy(cluster, release, "gateway", image)
    wait_for(cluster, release, None, SECONDS, print)
    good = Marker(revision="0005", database="bundled", app="1.0", at="2026-11-23T05:00:00Z")
    marker.write(cluster, release, good)
    done = platformctl(cluster, "status", "--release", release)
    assert (done.exit_code, done.output.splitlines()[0]) == (
        0,
        f"{release}: version 1.0, schema revision 0005, database bundled, since 2026-11-23T05:00:00Z",
    )
    assert done.output.splitlines()[1].split() == ["gateway", "ready", "1", "of", "1"]
    marker.write(cluster, release, good.failed("migrate", 'relation "people" already exists (SQLSTATE 42P07)', "1.1"))
    done = platformctl(cluster, "status", "--release", release)
    assert done.exit_code == 1
    assert "schema revision 0005" in done.output
    assert 'version 1.1, in step migrate: relation "people" already exists (SQLSTATE 42P07)' in done.output
    told = json.loads(platformctl(cluster, "cluster", "status", "--release", release, "--json").output)
    assert (told["ready"], told["installed"]["failed_step"], told["components"][0]["rolled_out"]) == (
        False,
        "migrate",
        True,
    )


def test_versions_are_those_of_the_images(cluster: Cluster, release: str, image: str) -> None:
    deploy(cluster, release, "gateway", image)
    done = platformctl(cluster, "cluster", "versions", "--release", release)
    assert done.output.splitlines()[0] == f"{release}: no migration job has ended well yet"
    assert done.output.splitlines()[2].split() == ["gateway", "1.2.3", image]
    told = json.loads(platformctl(cluster, "cluster", "versions", "--release", release, "--json").output)
    assert (told["installed"], told["components"][0]["images"]) == ({}, [image])


def test_a_dry_run_scales_nothing(cluster: Cluster, release: str, image: str) -> None:
    deploy(cluster, release, "gateway", image)
    done = platformctl(cluster, "cluster", "scale-down", "--release", release, "--dry-run")
    assert (done.exit_code, done.output) == (0, "gateway would stop: 1 -> 0\n")
    assert counts(cluster, release) == {"gateway": 1}
    done = platformctl(cluster, "cluster", "scale-up", "--release", release)
    assert (done.exit_code, done.output) == (0, "Nothing is to do.\n")


def test_the_only_release_needs_no_name() -> None:
    with fresh_namespace() as cluster:
        with pytest.raises(ClusterError, match="No release of the platform is in namespace"):
            the_release(cluster, "")
        deploy(cluster, "one", "gateway", "localhost:15000/none:1")
        assert the_release(cluster, "") == "one"
        deploy(cluster, "two", "gateway", "localhost:15000/none:1")
        with pytest.raises(ClusterError, match=r"has one, two\. Name one"):
            the_release(cluster, "")
