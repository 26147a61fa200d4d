"""The images as they are built, in a container engine: `make test-images` runs what is here, `make test` does not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cluster.images import tag_of
from support.cluster.programs import run
from support.containers import Yard, engine_answers
from support.tree import ROOT

HERE = Path(__file__).parent
BUILD_SECONDS = 1800.0
REPOSITORY = "coaching-platform"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests out unless the command names them: they need a container engine, and eight images."""
    named = any(HERE in (path := Path(word.split("::")[0]).resolve()).parents or path == HERE for word in config.args)
    return None if named or collection_path.name == "conftest.py" else True


@pytest.fixture(scope="session")
def tag() -> str:
    """The tag of the images of this checkout, which are built; IMAGES_TAG names some that are there already."""
    if given := os.environ.get("IMAGES_TAG"):
        return given
    if not engine_answers():
        pytest.exit("image tests: no container engine answers; start Docker", returncode=1)
    tag = tag_of()
    run("make", "images", f"TAG={tag}", "PUSH=", seconds=BUILD_SECONDS, folder=ROOT)
    return tag


@pytest.fixture(scope="session")
def image(tag: str) -> "Images":
    return Images(tag)


@pytest.fixture(scope="session")
def yard() -> Iterator[Yard]:
    yard = Yard()
    yield yard
    yard.clear()


class Images(dict[str, str]):
    """References of our images by name: `image["gateway"]`."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self._tag = tag

    def __missing__(self, name: str) -> str:
        return f"{REPOSITORY}/{name}:{self._tag}"
