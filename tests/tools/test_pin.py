"""`make pin` asks for every public image, of the recipes and of the chart, and writes what it was told, or nothing."""

import os
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from support.tree import ROOT

CHART = Path("deploy/helm/coaching-platform")
LOCK, PINNED = Path("deploy/docker/images.lock"), CHART / "values-pinned.yaml"
# A registry that knows everything but what is named in UNKNOWN, and gives each name a digest of its own.
CRANE = """#!/bin/sh
case $2 in *"${UNKNOWN:-none of these}"*) exit 1 ;; esac
printf 'sha256:%s\\n' "$(printf %s "$2" | sha256sum | cut -d' ' -f1)"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with what is read, and a fake crane before every other."""
    for source in (
        ROOT / "scripts/pin.sh",
        ROOT / CHART / "values.yaml",
        *(ROOT / "deploy/docker").glob("*.Dockerfile"),
    ):
        target = tmp_path / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    crane = tmp_path / "bin/crane"
    crane.parent.mkdir()
    crane.write_text(CRANE)
    crane.chmod(0o755)
    return tmp_path


def pin(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        [str(folder / "scripts/pin.sh")], env={**os.environ, "PATH": path, **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def digest(image: str) -> str:
    return f"sha256:{sha256(image.encode()).hexdigest()}"


def test_every_public_image_of_the_chart_is_pinned_under_its_key(folder: Path) -> None:
    done = pin(folder)
    assert done.returncode == 0, done.stderr
    values = yaml.safe_load((ROOT / CHART / "values.yaml").read_text())
    registry = values["global"]["image"]["publicRegistry"]
    images = {key: found["image"] for key, found in values.items() if key != "global" and "image" in found}
    assert set(images) == {"postgresql", "nats", "redis", "chroma", "ollama"}
    assert yaml.safe_load((folder / PINNED).read_text()) == {
        key: {
            "image": {
                "repository": image["repository"], "tag": str(image["tag"]),
                "digest": digest(f"{registry}/{image['repository']}:{image['tag']}"),
            }
        }
        for key, image in images.items()
    }  # fmt: skip


def test_every_image_that_a_recipe_begins_from_is_in_the_lock(folder: Path) -> None:
    assert pin(folder).returncode == 0
    recipes = "".join(path.read_text() for path in (ROOT / "deploy/docker").glob("*.Dockerfile"))
    lines = (folder / LOCK).read_text().splitlines()[1:]
    assert lines == sorted(
        {f"{image} {digest(image)}" for image in re.findall(r"^ARG [A-Z]+_IMAGE=(\S+)$", recipes, re.MULTILINE)}
    )


@pytest.mark.parametrize("unknown", ["node", "library/redis"])
def test_nothing_is_written_when_one_is_not_found(folder: Path, unknown: str) -> None:
    done = pin(folder, UNKNOWN=unknown)
    assert done.returncode == 1
    assert re.search(f"No registry tells the digest of .*{unknown}", done.stderr)
    assert not (folder / LOCK).exists()
    assert not (folder / PINNED).exists()
