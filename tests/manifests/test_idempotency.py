"""The same values give the same objects, none of which the API server would change: an upgrade with them is none."""

from typing import Any

from manifests.rendering import Object, named, of_kind, rendered


def empties(value: Any, path: str = "") -> list[str]:
    """Where an object holds nothing: the API server drops it, and the next upgrade would write it again."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in empties(item, f"{path}.{key}")]
    if isinstance(value, list):
        inner = [found for number, item in enumerate(value) for found in empties(item, f"{path}[{number}]")]
        return inner if value else [path]
    return [path] if value is None else []


def test_rendering_twice_gives_the_same(values: str) -> None:
    # A setting that says what holds already: rendered anew, not taken from the first time.
    assert rendered(values) == rendered(values, "global.image.pullPolicy=IfNotPresent")


def test_nothing_is_empty(objects: list[Object]) -> None:
    assert not {named(found): holes for found in objects if (holes := empties(found))}


def test_autoscaled_workloads_leave_their_number_to_the_autoscaler(objects: list[Object]) -> None:
    scaled = {
        found["spec"]["scaleTargetRef"]["name"] for found in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject")
    }
    for deployment in of_kind(objects, "Deployment"):
        assert ("replicas" not in deployment["spec"]) is (deployment["metadata"]["name"] in scaled), named(deployment)
