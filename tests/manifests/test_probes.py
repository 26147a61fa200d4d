"""What runs on has all three probes, gRPC's own where it speaks gRPC; what ends has none."""

from manifests.rendering import Object, named, pods

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
SLOWEST_START_SECONDS = 120


def test_lasting_containers_have_all_three(objects: list[Object]) -> None:
    for pod in pods(objects):
        present = [probe in pod.main for probe in PROBES]
        assert all(present) if pod.component.lasting else not any(present), named(pod.owner)
        for container in pod.spec.get("initContainers", []):
            assert not [probe for probe in PROBES if probe in container]


def test_probes_say_when_they_fail(objects: list[Object]) -> None:
    for pod in pods(objects):
        for probe in (pod.main[name] for name in PROBES if name in pod.main):
            assert {"periodSeconds", "timeoutSeconds", "failureThreshold"} <= set(probe), named(pod.owner)
            assert "initialDelaySeconds" not in probe, f"{named(pod.owner)}: that is what the startup probe is for"


def test_services_that_speak_grpc_are_asked_over_grpc(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.speaks_grpc:
            assert all(pod.main[name]["grpc"] == {"port": 50051} for name in PROBES), named(pod.owner)


def test_http_probes_name_a_port_of_the_container(objects: list[Object]) -> None:
    for pod in pods(objects):
        names = {port["name"] for port in pod.main.get("ports", [])}
        asked = {pod.main[name]["httpGet"]["port"] for name in PROBES if "httpGet" in pod.main.get(name, {})}
        assert asked <= names, named(pod.owner)


def test_a_slow_start_is_no_failure_and_a_hang_ends(objects: list[Object]) -> None:
    for pod in pods(objects):
        if pod.component.lasting:
            startup, liveness = pod.main["startupProbe"], pod.main["livenessProbe"]
            assert startup["periodSeconds"] * startup["failureThreshold"] >= SLOWEST_START_SECONDS
            assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 30, "a busy moment is no hang"
