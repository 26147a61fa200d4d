"""values.schema.json is what values.yaml says, explains every value and refuses unknown keys and wrong kinds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from manifests.rendering import CHART, SETS, RenderError, rendered
from scripts.chart_schema import AnnotationError, generate

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def closed(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The path of every object whose keys are all known."""
    if "properties" in schema:
        yield path
        for key, inner in schema["properties"].items():
            yield from closed(inner, f"{path}.{key}".lstrip("."))


def leaves(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for key, inner in schema.get("properties", {}).items():
        here = f"{path}.{key}".lstrip(".")
        if "properties" in inner:
            yield from leaves(inner, here)
        else:
            yield here, inner


def test_the_schema_is_current() -> None:
    assert generate((CHART / "values.yaml").read_text()) == SCHEMA


@pytest.mark.parametrize(
    "value",
    [
        f"global.image.digests.channelAdapter=sha256:{'0' * 64}", "global.image.references.gatway=here/gateway:1",
        "defaults.topologySpread[0].minDomains=2",
    ],
)  # fmt: skip
def test_what_would_be_left_out_in_silence_is_refused(value: str) -> None:
    with pytest.raises(RenderError):
        rendered("laptop", value)


def test_every_value_is_explained() -> None:
    assert not [path for path, schema in leaves(SCHEMA) if not schema.get("description")]


def test_every_object_refuses_keys_that_it_does_not_know() -> None:
    assert not [path for path in closed(SCHEMA) if path and _at(path)["additionalProperties"] is not False]


def _at(path: str) -> dict[str, Any]:
    found = SCHEMA
    for key in path.split("."):
        found = found["properties"][key]
    return found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "gateway",
        "gateway.resources",
        "defaults.initResources",
        "global.image",
        "postgresql.external",
        "networkPolicies",
        "uploads.s3",
    ],
)
def test_helm_refuses_an_unknown_key(path: str) -> None:
    with pytest.raises(RenderError, match="unheard"):
        rendered("laptop", f"{path}.unheard=1".lstrip("."))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("environment=prod", "environment"),
        ("gateway.drainSeconds=soon", "drainSeconds"),
        ("gateway.preStopSeconds=0", "preStopSeconds"),  # an older Kubernetes refuses a sleep of no seconds
        ("gateway.resources.limitss.cpu=1", "limitss"),
        ("gateway.resources.limits.memroy=1Gi", "memroy"),
        ("gateway.settings.lower=1", "settings"),
        ("nats.storage.size=many", "size"),
        ("publicUrl=coach.example.org", "publicUrl"),
        ("global.image.digests.gateway=sha256:12", "gateway"),
    ],
)
def test_helm_refuses_a_value_of_the_wrong_kind(setting: str, said: str) -> None:
    with pytest.raises(RenderError, match=said):
        rendered("laptop", setting)


def test_all_wrong_keys_are_said_at_once() -> None:
    with pytest.raises(RenderError) as refused:
        rendered("laptop", "gateway.one=1", "coaching.two=1", "three=1")
    assert all(word in str(refused.value) for word in ("one", "two", "three"))


@pytest.mark.parametrize("text", ["a: 1\n", "# Said.\n# @schema [1]\na: 1\n"])
def test_a_value_without_a_comment_is_refused(text: str) -> None:
    with pytest.raises(AnnotationError):
        generate(f"# Shared.\ndefaults:\n  # Said.\n  b: 1\n{text}")


def test_every_set_of_values_is_valid_yaml() -> None:
    assert all(yaml.safe_load(path.read_text()) for files in SETS.values() for path in files)


def test_requests_take_what_a_cluster_may_have() -> None:
    limits = "llmInference.resources.limits"
    assert rendered("laptop", f"{limits}.nvidia\\.com/gpu=1", f"{limits}.ephemeral-storage=1Gi", f"{limits}.cpu=2")
    assert rendered("laptop", "web.resources.limits.cpu=null")  # no limit
