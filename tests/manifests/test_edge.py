"""One way in, to web, with TLS."""

from manifests.rendering import Object, of_kind, rendered


def test_everything_goes_to_web(objects: list[Object]) -> None:
    for ingress in of_kind(objects, "Ingress"):
        (rule,) = ingress["spec"]["rules"]
        (path,) = rule["http"]["paths"]
        assert (path["path"], path["backend"]["service"]["name"]) == ("/", "coach-web")
        assert ingress["spec"]["tls"] == [{"hosts": [rule["host"]], "secretName": "coach-tls"}]
    for route in of_kind(objects, "HTTPRoute"):
        assert route["spec"]["rules"][0]["backendRefs"] == [{"name": "coach-web", "port": 8080}]


def test_a_laptop_has_no_way_in_but_port_forward() -> None:
    assert not of_kind(rendered("laptop"), "Ingress", "HTTPRoute")


def test_the_ingress_controller_alone_may_ask_web() -> None:
    (policy,) = [
        found for found in of_kind(rendered("production"), "NetworkPolicy") if found["metadata"]["name"] == "coach-web"
    ]
    peers = [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}} in peers
    assert not [peer for peer in peers if "ipBlock" in peer]


def test_monitors_are_found_by_their_labels() -> None:
    monitors = of_kind(rendered("options"), "ServiceMonitor")
    assert len(monitors) == 5
    assert all(found["metadata"]["labels"]["release"] == "kps" for found in monitors)
