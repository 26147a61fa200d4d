"""What a change costs: of the code seconds and one layer, of another service's packages nothing."""

import shutil
import time
from pathlib import Path

import pytest

from support.cluster.programs import run
from support.containers import image_of
from support.tree import ROOT

RECIPE = "deploy/docker/service.Dockerfile"
SECONDS = 30.0  # 3 to 5 on two idle cores
# The layers of the last stage that hold code: /app and the command's link.
OWN_LAYERS = 2


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The part of the checkout that recipes read, to be changed."""
    for name in ("libs", "services", "migrations", "deploy/docker"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("tests", "__pycache__", "node_modules")
        )
    for name in ("requirements.lock", "models.lock", "pyproject.toml", "LICENSE", ".dockerignore"):
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def build(folder: Path, service: str) -> list[str]:
    """Build a service's image and return its layers."""
    words = ["docker", "build", "--quiet", "--file", RECIPE, "--build-arg", f"SERVICE={service}", "."]
    made = run(*words, folder=folder, seconds=600, env={"DOCKER_BUILDKIT": "1"}).strip()
    layers: list[str] = image_of(made)["RootFS"]["Layers"]
    return layers


@pytest.mark.parametrize("service", ["coaching", "vector-search"])
def test_a_code_only_change_is_one_layer_in_seconds(tag: str, copy: Path, service: str) -> None:
    before = build(copy, service)
    source = copy / "libs/kit/src/kit/__init__.py"
    source.write_text(f"{source.read_text()}\n# changed at {time.time_ns()}\n")
    begun = time.monotonic()

    after = build(copy, service)

    took = time.monotonic() - begun
    assert before[:-OWN_LAYERS] == after[:-OWN_LAYERS]
    assert before != after
    assert took < SECONDS, f"{took:.1f} s"


def test_a_dependency_of_another_service_changes_nothing(tag: str, copy: Path) -> None:
    before = build(copy, "gateway")
    lock = copy / "requirements.lock"
    lock.write_text(lock.read_text().replace("\nchromadb==", "\n# a newer one\nchromadb=="))
    manifest = copy / "services/gateway/pyproject.toml"
    manifest.write_text(manifest.read_text().replace("description =", "# told differently\ndescription ="))

    assert build(copy, "gateway") == before
