"""P9 on two nodes: one is drained, and then lost as a machine is lost, while people write."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.cluster.outside import Outside
from support.cluster.place import Place
from support.cluster.programs import run
from support.cluster.release import Release
from support.cluster.replicas import values_file
from support.cluster.slot import Slot
from support.cluster.upheaval import drain, lose, nodes_of, people_writing, restart

LOST_SECONDS = 90.0  # its pods are started elsewhere after 30 of these
ENOUGH = 4  # of these, so that the node is worth losing
SPREAD = ("gateway", "coaching", "llm-inference", "vector-search", "web")


def on_node(release: Release, node: str) -> list[str]:
    """Return the services that have a pod there; the scheduler spreads them where it can."""
    return [component for component in SPREAD if node in nodes_of(release, component)]


@pytest.fixture
def two_nodes(place: Place) -> tuple[str, str]:
    """The names of two nodes, the second of which may be lost."""
    if place.tool is None:
        pytest.skip("losing a node needs a cluster of ../shared/cluster")
    run("scripts/cluster.sh", "up", seconds=300, env={"KUBECONFIG": "", "CLUSTER_NODES": "2"})
    listed = json.loads(run("kubectl", "get", "nodes", "--output=json"))["items"]
    names = sorted(found["metadata"]["name"] for found in listed)
    run("kubectl", "wait", "--for=condition=Ready", *(f"node/{name}" for name in names), "--timeout=60s")
    return names[0], names[1]


@contextmanager
def schedulable(node: str) -> Iterator[None]:
    """Let pods be placed on a node again in the end, whatever was done to it."""
    try:
        yield
    finally:
        run("kubectl", "uncordon", node)


@pytest.mark.guarantee("P9-node")
@pytest.mark.full_size
@pytest.mark.timeout(2700)
def test_nothing_is_lost_with_a_node(
    room: Slot, scripted_preset: Release, outside: Outside, place: Place, two_nodes: tuple[str, str], tmp_path: Path,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    stays, leaves = two_nodes
    release = scripted_preset.with_files(values_file(tmp_path, stays))
    outside.make_secret(release.kube)
    room.held = release
    release.install()
    assert nodes_of(release, "postgresql") == [stays]
    assert nodes_of(release, "nats").count(leaves) <= 1
    assert len(on_node(release, leaves)) >= ENOUGH
    with people_writing(outside, release, tell) as log, schedulable(leaves):
        log.step(f"drain of {leaves}", lambda: drain(leaves))
        run("kubectl", "uncordon", leaves)
        for component in SPREAD:
            restart(release, f"deployment/{release.object(component)}")  # spreads them again
        release.wait_ready()
        assert len(on_node(release, leaves)) >= ENOUGH
        log.step(f"loss of {leaves}", lambda: lose(place, leaves, LOST_SECONDS))
        release.wait_ready()
