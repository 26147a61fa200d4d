"""Every container says what it needs and may use; the laptop preset fits a laptop."""

from typing import Any

from manifests.rendering import Object, named, pod, pods, rendered

UNITS = {"m": 1e-3, "": 1.0, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
LAPTOP_CORES = 1.5


def amount(quantity: Any) -> float:
    """A Kubernetes quantity as a number."""
    text = str(quantity)
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * UNITS[unit]


def cores(spec: Object) -> float:
    """What the scheduler counts: all containers together, or the largest one before the start."""

    def of(containers: list[Object]) -> list[float]:
        return [amount(container["resources"]["requests"]["cpu"]) for container in containers]

    return max(sum(of(spec["containers"])), *of(spec.get("initContainers", [])), 0.0)


def test_every_container_has_requests_and_limits(objects: list[Object]) -> None:
    for found in pods(objects):
        for container in found.containers:
            resources = container["resources"]
            for what in ("cpu", "memory"):
                where = f"{named(found.owner)} {container['name']} {what}"
                assert 0 < amount(resources["requests"][what]) <= amount(resources["limits"][what]), where


def test_the_laptop_preset_asks_for_one_and_a_half_cores_an_update_included() -> None:
    total = 0.0
    for found in pods(rendered("laptop")):
        spec = found.owner["spec"]
        surge = spec["strategy"]["rollingUpdate"]["maxSurge"] if found.owner["kind"] == "Deployment" else 0
        total += cores(found.spec) * (spec.get("replicas", 1) + surge)
    assert total <= LAPTOP_CORES


def test_bundled_stores_have_the_limits_of_a_first_install() -> None:
    objects = rendered("options")
    assert pod(objects, "postgresql").main["resources"]["limits"]["memory"] == "2Gi"
    assert pod(objects, "ollama").main["resources"]["limits"]["memory"] == "8Gi"
