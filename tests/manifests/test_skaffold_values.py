"""What skaffold sets is something that the chart takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from manifests.rendering import rendered
from support.tree import ROOT

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "skaffold.yaml").read_text())


def set_by(profile: dict[str, Any]) -> Iterator[str]:
    """The settings of a profile's patches, as `--set` takes them."""
    for patch in profile.get("patches", []):
        if patch["path"].endswith("/setValues"):
            yield from (f"{name}={json.dumps(value)}".replace('"', "") for name, value in patch["value"].items())


@pytest.mark.parametrize("name", [profile["name"] for profile in CONFIG["profiles"]])
def test_the_chart_takes_what_a_profile_sets(name: str) -> None:
    [profile] = (profile for profile in CONFIG["profiles"] if profile["name"] == name)
    assert rendered("laptop", *set_by(profile))
