"""The policies are the table in files/connections.yaml: everybody is closed but for its rows."""

from typing import Any

import pytest
import yaml

from manifests.components import BY_NAME
from manifests.rendering import CHART, Object, component_of, named, of_kind, pods, rendered

TABLE: dict[str, dict[str, list[int]]] = yaml.safe_load((CHART / "files/connections.yaml").read_text())
PLACES = {"edge", "monitoring", "dns", "api-server", "telegram", "s3", "model-api", "ollama-library", "telemetry"}
COMPONENT = "app.kubernetes.io/component"
Pair = tuple[str, str, int]


def policies(objects: list[Object]) -> dict[str, Object]:
    return {component_of(found): found["spec"] for found in of_kind(objects, "NetworkPolicy")}


def pairs(objects: list[Object], direction: str, side: str) -> set[Pair]:
    """Which components of the release may talk, as one direction of all policies says it."""
    found: set[Pair] = set()
    for component, spec in policies(objects).items():
        for rule in spec.get(direction, []):
            for peer in rule[side]:
                labels: dict[str, Any] = peer.get("podSelector", {}).get("matchLabels", {})
                if other := labels.get(COMPONENT):
                    ends = (other, component) if direction == "ingress" else (component, other)
                    found |= {(*ends, port["port"]) for port in rule["ports"]}
    return found


def expected(objects: list[Object]) -> set[Pair]:
    present = {pod.component.name for pod in pods(objects)}
    return {
        (source, target, port)
        for source, targets in TABLE.items()
        for target, ports in targets.items()
        for port in ports
        if source in present and target in present
    }


def test_both_directions_say_what_the_table_says(objects: list[Object]) -> None:
    assert pairs(objects, "ingress", "from") == expected(objects)
    assert pairs(objects, "egress", "to") == expected(objects)


def test_every_component_is_closed_in_both_directions(objects: list[Object]) -> None:
    found = policies(objects)
    assert set(found) == {pod.component.name for pod in pods(objects)} | {"platform"}
    assert all(set(spec["policyTypes"]) == {"Ingress", "Egress"} for spec in found.values())
    whole = found["platform"]
    assert "ingress" not in whole
    assert "egress" not in whole
    assert COMPONENT not in whole["podSelector"]["matchLabels"]


def test_a_policy_selects_exactly_its_component_s_pods(objects: list[Object]) -> None:
    for pod in pods(objects):
        selector = policies(objects)[pod.component.name]["podSelector"]["matchLabels"]
        assert selector.items() <= pod.metadata["labels"].items(), named(pod.owner)


def test_only_the_jobs_may_ask_the_api_server() -> None:
    ports = {6443, 16443}
    for name, spec in policies(rendered("laptop")).items():
        allowed = {port["port"] for rule in spec.get("egress", []) for port in rule["ports"]}
        assert bool(ports & allowed) is (name in {"migrations", "secrets"}), name


def test_on_a_laptop_nobody_but_the_jobs_leaves_the_cluster() -> None:
    for name, spec in policies(rendered("laptop")).items():
        blocks = [peer for rule in spec.get("egress", []) for peer in rule["to"] if "ipBlock" in peer]
        assert not blocks or name in {"migrations", "secrets"}, name


def test_a_model_in_the_pod_asks_nobody_but_for_the_schema() -> None:
    objects = rendered("laptop")
    assert {pair for pair in pairs(objects, "egress", "to") if pair[0] == "llm-inference"} == {
        ("llm-inference", "postgresql", 5432)
    }
    ports = [port["port"] for rule in policies(objects)["llm-inference"]["egress"] for port in rule["ports"]]
    assert set(ports) == {5432, 53}


@pytest.mark.parametrize(
    ("component", "port"),
    [("coaching", 6432), ("gateway", 4222), ("gateway", 6379), ("vector-search", 443), ("web", 6432)],
)
def test_an_external_store_is_reached_at_its_own_port(component: str, port: int) -> None:
    rules = policies(rendered("gateway-api"))[component]["egress"]
    blocks = [rule for rule in rules if {"ipBlock": {"cidr": "0.0.0.0/0"}} in rule["to"]]
    assert port in {entry["port"] for rule in blocks for entry in rule["ports"]}


def test_the_world_is_not_the_private_network() -> None:
    rules = policies(rendered("options"))["channel-adapter"]["egress"]
    worlds = [peer["ipBlock"] for rule in rules for peer in rule["to"] if "except" in peer.get("ipBlock", {})]
    assert worlds
    assert all("10.0.0.0/8" in block["except"] for block in worlds)


def test_the_table_names_only_components_ports_and_places() -> None:
    for source, targets in TABLE.items():
        assert source in BY_NAME or source in PLACES
        for target, ports in targets.items():
            if target in BY_NAME:
                assert set(ports) <= {number for _, number in BY_NAME[target].ports}, f"{source} -> {target}"
            else:
                assert target in PLACES


def test_switched_off_the_jobs_before_an_upgrade_still_pass_the_old_ones() -> None:
    left = of_kind(rendered("laptop", "networkPolicies.enabled=false"), "NetworkPolicy")
    assert [component_of(found) for found in left] == ["secrets"]


def api_server_peers(objects: list[Object]) -> dict[str, list[Object]]:
    """Where each component that may ask the API server finds it, as its policy says."""
    return {
        name: rule["to"]
        for name, spec in policies(objects).items()
        for rule in spec.get("egress", [])
        if 6443 in {port["port"] for port in rule["ports"]}
    }


def test_where_nobody_says_where_the_api_server_is_and_helm_cannot_ask_it_may_be_anywhere() -> None:
    anywhere = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    assert api_server_peers(rendered("laptop")) == {"migrations": anywhere, "secrets": anywhere}


def test_an_api_server_that_is_named_is_not_looked_for() -> None:
    named_peer = "networkPolicies.apiServer.peers[0].ipBlock.cidr=192.0.2.7/32"
    there = [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    assert api_server_peers(rendered("laptop", named_peer)) == {"migrations": there, "secrets": there}
