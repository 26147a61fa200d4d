"""Services lead to ports that are there; those for gRPC are headless, so that clients see every pod."""

from manifests.rendering import Object, named, of_kind, pod, pods, rendered


def test_a_service_leads_to_a_port_of_its_pods(objects: list[Object]) -> None:
    by_labels = {tuple(sorted(found.metadata["labels"].items())): found for found in pods(objects)}
    for service in of_kind(objects, "Service"):
        selector = set(service["spec"]["selector"].items())
        behind = [found for labels, found in by_labels.items() if selector <= set(labels)]
        assert len(behind) == 1, named(service)
        ports = {port["name"]: port["containerPort"] for port in behind[0].main["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"], named(service)


def test_grpc_is_headless_and_the_rest_has_an_address(objects: list[Object]) -> None:
    for service in of_kind(objects, "Service"):
        grpc = "grpc" in {port["name"] for port in service["spec"]["ports"]}
        peers = service["metadata"]["name"].endswith("-peers")
        assert (service["spec"].get("clusterIP") == "None") is (grpc or peers), named(service)


def test_ports_are_those_of_the_component(objects: list[Object]) -> None:
    for found in pods(objects):
        ports = {(port["name"], port["containerPort"]) for port in found.main.get("ports", [])}
        assert ports == set(found.component.ports), named(found.owner)


def test_web_is_told_the_gateway_s_whole_name() -> None:
    env = {entry["name"]: entry["value"] for entry in pod(rendered("laptop"), "web").main["env"]}
    assert env["GATEWAY_UPSTREAM"] == "coach-gateway.coaching.svc.cluster.local:8000"


def test_a_headless_name_is_never_empty_while_there_are_pods(objects: list[Object]) -> None:
    """gRPC comes back to a name that it did not find ever later (libs/kit/tests/integration/test_grpc_rolling.py)."""
    for service in of_kind(objects, "Service"):
        headless = service["spec"].get("clusterIP") == "None"
        assert service["spec"].get("publishNotReadyAddresses", False) is headless, named(service)
