"""Replicas are spread over nodes, and come back soon when a node is lost."""

import pytest

from manifests import rendering
from manifests.rendering import Object, named, pods, rendered

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def test_lasting_pods_are_spread_over_nodes(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.lasting:
            spread = pod.spec["topologySpreadConstraints"][0]
            assert spread["topologyKey"] == "kubernetes.io/hostname", named(pod.owner)
            assert spread["labelSelector"]["matchLabels"] == pod.owner["spec"]["selector"]["matchLabels"]


def test_pods_of_a_lost_node_start_elsewhere_within_a_minute(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.lasting:
            waits = {
                toleration["key"]: toleration["tolerationSeconds"]
                for toleration in pod.spec["tolerations"]
                if toleration["effect"] == "NoExecute"
            }
            keys = {f"node.kubernetes.io/{state}" for state in ("not-ready", "unreachable")}
            assert set(waits) == keys, named(pod.owner)
            assert max(waits.values()) <= 60


def test_an_operator_places_pods() -> None:
    for pod in pods(rendered("options")):
        assert pod.spec["nodeSelector"] == {"kubernetes.io/os": "linux"}, named(pod.owner)
        assert pod.spec["priorityClassName"] == "coach"
        assert {"key": "coach", "operator": "Exists", "effect": "NoSchedule"} in pod.spec["tolerations"]


def beside(found: Object) -> list[Object]:
    """The rules that bind a pod to nodes with certain others."""
    return list(found.get("affinity", {}).get("podAffinity", {}).get(REQUIRED, []))


def test_an_update_finds_a_volume_of_one_node(objects: list[Object]) -> None:
    """A new channel adapter on another node could not attach it, and the old one goes when the new one is ready."""
    modes = {
        claim["metadata"]["name"]: claim["spec"]["accessModes"]
        for claim in objects if claim["kind"] == "PersistentVolumeClaim"
    }  # fmt: skip
    for found in pods(objects):
        claims = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in found.spec["volumes"]]
        shared = found.owner["kind"] == "Deployment" and any(modes.get(name) == ["ReadWriteOnce"] for name in claims)
        own = {"topologyKey": "kubernetes.io/hostname", "labelSelector": found.owner["spec"].get("selector")}
        assert beside(found.spec) == ([own] if shared else []), named(found.owner)


@pytest.mark.parametrize(
    ("settings", "bound"),
    [
        (("uploads.claim.existingClaim=mine",), True),
        (("uploads.claim.accessMode=ReadWriteMany",), False),
        (("uploads.type=s3", "uploads.s3.bucket=coach"), False),
    ],
)
def test_a_volume_for_several_nodes_binds_nobody(settings: tuple[str, ...], bound: bool) -> None:
    assert bool(beside(rendering.pod(rendered("laptop", *settings), "channel-adapter").spec)) is bound


def test_the_operator_s_own_affinity_stays() -> None:
    theirs = f"channelAdapter.affinity.podAffinity.{REQUIRED}[0].topologyKey=zone"
    node = "channelAdapter.affinity.nodeAffinity.x=y"
    found = rendering.pod(rendered("laptop", theirs, node), "channel-adapter").spec
    assert [rule["topologyKey"] for rule in beside(found)] == ["zone", "kubernetes.io/hostname"]
    assert found["affinity"]["nodeAffinity"] == {"x": "y"}
