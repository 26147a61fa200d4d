"""A cluster, our images on it, and one release at a time: `make cluster-test` runs what is here, `make test` does not.

A node of two cores has room for one release of the laptop preset. Tests say what they need: `laptop`, the preset as it
is with the real model; `scripted`, the same with the outside world of `fakes.outside`; or `room`, nothing installed.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.cluster import previous
from support.cluster.images import build, tag_of
from support.cluster.outside import Outside
from support.cluster.place import Place, PlaceError, find
from support.cluster.programs import Kube
from support.cluster.release import LAPTOP, RESTRICTED, Release
from support.cluster.slot import Slot, scripted_values

HERE = Path(__file__).parent
NAMESPACE = os.environ.get("CLUSTER_NAMESPACE", "e2e")
# So that a release that several tests use is installed once: the upgrade leaves it, the next four take it. Tests with a
# place of their own follow, and those that may lose a node end the run.
ORDER = (
    "test_examples", "test_upgrade", "test_same_again", "test_network", "test_pages", "test_grpc_spread",
    "test_migration_fails", "test_install", "test_ollama", "test_external", "test_docs", "test_skaffold",
    "test_upgrade_in_full", "test_lost_node",
)  # fmt: skip


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests out unless the command names them: they need a cluster, and take minutes."""
    named = any(HERE in (path := Path(word.split("::")[0]).resolve()).parents or path == HERE for word in config.args)
    return None if named or collection_path.name == "conftest.py" else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of this folder in their order, after those of others."""
    places = {name: number for number, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, len(ORDER)) if item.path.parent == HERE else -1)


@pytest.fixture(scope="session")
def place() -> Place:
    """The cluster; without one nothing here can run, and the reason is said once."""
    try:
        return find()
    except PlaceError as error:
        pytest.exit(f"cluster tests: {error}", returncode=1)


@pytest.fixture(scope="session")
def tag(place: Place) -> str:
    """The tag of the images of this checkout, which are on the cluster."""
    tag = tag_of()
    build(place, tag)
    return tag


@pytest.fixture(scope="session")
def kube() -> Iterator[Kube]:
    """kubectl in a namespace that enforces pod security `restricted`; removed at the end unless KEEP is set."""
    kube = Kube(NAMESPACE)
    kube.make_namespace(**RESTRICTED)
    yield kube
    if not os.environ.get("KEEP"):
        kube.remove_namespace()


@pytest.fixture(scope="session")
def preset(place: Place, tag: str, kube: Kube) -> Release:
    """The laptop preset with the images of this checkout; not installed."""
    return Release(kube, (LAPTOP,), (f"global.image.registry={place.registry}", f"global.image.tag={tag}"))


@pytest.fixture(scope="session")
def slot(preset: Release) -> Iterator[Slot]:
    slot = Slot(preset)
    yield slot
    if not os.environ.get("KEEP"):
        slot.clear()


@pytest.fixture(scope="session")
def outside(place: Place, tag: str) -> Iterator[Outside]:
    """Telegram, a model server and people, in a namespace beside the release's."""
    outside = Outside(Kube(f"{NAMESPACE}-outside"))
    outside.start(place.image("platformctl", tag))
    yield outside
    if not os.environ.get("KEEP"):
        outside.remove()


@pytest.fixture(scope="session")
def scripted_preset(preset: Release, outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The laptop preset that talks to the outside world of the tests; not installed."""
    values = tmp_path_factory.mktemp("values") / "scripted.json"
    values.write_text(json.dumps(scripted_values(preset.name, outside)))
    return preset.with_files(values)


@pytest.fixture(scope="session")
def before(scripted_preset: Release, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release before this one, with its own chart and images, otherwise as `scripted`; not installed."""
    folder = tmp_path_factory.mktemp("previous")
    with previous.checked_out(folder / "checkout") as checkout:
        tag = previous.images(place, checkout)
        chart = folder / "chart"
        shutil.copytree(checkout / "deploy/helm/coaching-platform", chart)
    files = (chart / "values-laptop.yaml", *scripted_preset.files[1:])
    return replace(scripted_preset, chart=chart, files=files).with_settings(f"global.image.tag={tag}")


@pytest.fixture
def room(slot: Slot) -> Slot:
    """Nothing is installed."""
    slot.clear()
    return slot


@pytest.fixture
def laptop(slot: Slot, preset: Release) -> Release:
    """The laptop preset, installed and ready, as earlier tests left it."""
    return slot.hold(preset)


@pytest.fixture
def scripted(slot: Slot, scripted_preset: Release, outside: Outside) -> Release:
    """The same, answering with the scripted model, with a bot of the fake Telegram; installed and ready."""
    outside.make_secret(scripted_preset.kube)
    return slot.hold(scripted_preset)


Tell = Callable[[str], None]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Write a line that is not captured: the figures of a run."""
    plugins = request.config.pluginmanager
    write, capture = plugins.getplugin("terminalreporter").write_line, plugins.getplugin("capturemanager")

    def told(line: str) -> None:
        with capture.global_and_fixture_disabled():
            write(line)

    return told
