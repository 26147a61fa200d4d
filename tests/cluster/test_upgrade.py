"""P9: while people write, five a second, everything about a release is replaced, and a node drained and lost.

Every request succeeds within three tries and thirty seconds, and every message is answered once.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.cluster import previous
from support.cluster.outside import Outside
from support.cluster.place import Place
from support.cluster.programs import run
from support.cluster.release import Release
from support.cluster.slot import Slot
from support.cluster.upheaval import Log, delete_each_pod, drain, lose, nodes_of, restart

SERVICES = ("gateway", "coaching", "channelAdapter", "llmInference", "vectorSearch", "web")
# What stays on the first node of two: the stores that are one server, and most of NATS's three.
STAYS = ("postgresql", "redis", "chroma")
LOST_SECONDS = 90.0  # its pods are started elsewhere after 30 of these
# What this release writes and the one before does not know.
WRITTEN = "SELECT count(*) FROM coaching.turns WHERE message_count IS NOT NULL"
HOSTNAME = "kubernetes.io/hostname"


def values(first_node: str | None) -> dict[str, Any]:
    """Two pods of each service, three servers of NATS with three copies of each stream."""
    found: dict[str, Any] = {name: {"replicas": 2} for name in SERVICES}
    found["nats"] = {"replicas": 3, "streamReplicas": 3}
    if first_node is not None:
        found |= {name: {"nodeSelector": {HOSTNAME: first_node}} for name in STAYS}
        expression = {"key": HOSTNAME, "operator": "In", "values": [first_node]}
        preferred = [{"weight": 100, "preference": {"matchExpressions": [expression]}}]
        found["nats"] |= {
            "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
            "topologySpread": [{"topologyKey": HOSTNAME, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
        }
    return found


def written(release: Release) -> int:
    pod = f"{release.object('postgresql')}-0"
    return int(release.kube("exec", pod, "--", "psql", "-h", "127.0.0.1", "-qtAc", WRITTEN))


@pytest.fixture
def before(scripted_preset: Release, place: Place, tmp_path: Path) -> Release:
    """The release before this one, with its own chart and images; not installed."""
    with previous.checked_out(tmp_path / "previous") as folder:
        tag = previous.images(place, folder)
        chart = tmp_path / "chart"
        shutil.copytree(folder / "deploy/helm/coaching-platform", chart)
    extra = tmp_path / "two.json"
    extra.write_text(json.dumps(values(None)))
    files = (chart / "values-laptop.yaml", *scripted_preset.files[1:], extra)
    return replace(scripted_preset, chart=chart, files=files).with_settings(f"global.image.tag={tag}")


@pytest.mark.guarantee("P9-upgrade")
@pytest.mark.timeout(2700)
def test_nothing_is_lost_while_a_release_is_replaced(
    room: Slot, before: Release, scripted_preset: Release, outside: Outside, tell: Callable[[str], None]
) -> None:
    after = scripted_preset.with_files(before.files[-1])
    outside.make_secret(before.kube)
    room.held = before
    before.install()
    first = before.revision()
    outside.begin(f"http://{before.object('web')}.{before.kube.namespace}:8080")
    log = Log()
    try:
        log.step("upgrade", after.upgrade)
        assert written(after) > 0
        log.step("rollback", lambda: before.rollback(first))
        log.step("upgrade again", after.upgrade)
        delete_each_pod(after, log)
        log.step("restart of NATS", lambda: restart(after, f"statefulset/{after.object('nats')}"))
    finally:
        ledger = outside.end()
        tell(f"{ledger}\n  {log}")
    assert not ledger.faults()


@pytest.fixture
def two_nodes(place: Place) -> tuple[str, str]:
    """The names of two nodes, the second of which may be lost."""
    if place.tool is None:
        pytest.skip("losing a node needs a cluster of ../shared/cluster")
    run(str(place.tool), "up", "--nodes", "2", seconds=300)
    run("scripts/cluster.sh", "up", seconds=300, env={"KUBECONFIG": "", "CLUSTER_NODES": "2"})
    listed = json.loads(run("kubectl", "get", "nodes", "--output=json"))["items"]
    names = sorted(found["metadata"]["name"] for found in listed)
    return names[0], names[1]


@pytest.mark.guarantee("P9-node")
@pytest.mark.timeout(2700)
def test_nothing_is_lost_with_a_node(
    room: Slot, scripted_preset: Release, outside: Outside, place: Place, two_nodes: tuple[str, str], tmp_path: Path,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    stays, leaves = two_nodes
    extra = tmp_path / "nodes.json"
    extra.write_text(json.dumps(values(stays)))
    release = scripted_preset.with_files(extra)
    outside.make_secret(release.kube)
    room.held = release
    release.install()
    assert nodes_of(release, "postgresql") == [stays]
    assert nodes_of(release, "nats").count(leaves) <= 1
    assert leaves in {node for name in ("gateway", "coaching", "web") for node in nodes_of(release, name)}
    outside.begin(f"http://{release.object('web')}.{release.kube.namespace}:8080")
    log = Log()
    try:
        log.step(f"drain of {leaves}", lambda: drain(leaves))
        run("kubectl", "uncordon", leaves)
        for component in ("gateway", "coaching", "channel-adapter", "llm-inference", "vector-search", "web"):
            restart(release, f"deployment/{release.object(component)}")  # spreads them again
        release.wait_ready()
        log.step(f"loss of {leaves}", lambda: lose(place, leaves, LOST_SECONDS))
        release.wait_ready()
    finally:
        run("kubectl", "uncordon", leaves)
        ledger = outside.end()
        tell(f"{ledger}\n  {log}")
    assert not ledger.faults()
