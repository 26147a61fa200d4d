"""Replicas are spread over nodes, and come back soon when a node is lost."""

from manifests.rendering import Object, named, pods, rendered


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
