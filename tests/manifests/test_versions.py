"""The chart, the images and the schema are of one release."""

import re
import tomllib

import yaml

from manifests.components import COMPONENTS
from manifests.rendering import CHART, PRESETS
from support.tree import ROOT


def chart() -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return found


def test_the_chart_s_app_version_is_the_project_s() -> None:
    assert chart()["appVersion"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_services_wait_for_the_newest_revision() -> None:
    revisions = [re.match(r"\d+", path.name) for path in (ROOT / "migrations/versions").glob("[0-9]*.py")]
    newest = max(found[0] for found in revisions if found)
    annotations = chart()["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["coaching-platform/schema-revision"] == newest


def test_presets_set_only_components_that_there_are() -> None:
    keys = set(yaml.safe_load((CHART / "values.yaml").read_text()))
    for preset in PRESETS[1:]:
        assert set(yaml.safe_load((CHART / f"values-{preset}.yaml").read_text())) <= keys
    assert {component.key for component in COMPONENTS} <= keys
