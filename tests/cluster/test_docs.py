"""The operators' pages, followed to the letter: every command is run, in two walks from an empty namespace."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.cluster.pages import PROMISED, reader_of
from support.cluster.place import Place
from support.cluster.programs import Kube, run
from support.cluster.release import Release
from support.cluster.slot import Slot
from support.tree import ROOT

# Each begins by installing. Configuring ends with three servers of NATS, which is not what uninstalling speaks of.
WALKS = (
    ("install.md", "sizing.md", "upgrade.md", "rollback.md", "scale.md", "registry.md", "uninstall.md"),
    ("install.md", "configure.md"),
)
ANY_BLOCK = re.compile(r"^```([a-z ]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = ("kubectl", "helm", "platformctl", "make")


def test_every_page_is_walked() -> None:
    assert {page for walk in WALKS for page in walk} >= PROMISED


@pytest.mark.parametrize("page", sorted(PROMISED))
def test_no_command_of_a_page_is_hidden_from_this_test(page: str) -> None:
    found = ANY_BLOCK.findall((ROOT / "docs/operations" / page).read_text())
    assert not [text for kind, text in found if not kind.startswith("sh") and text.startswith(COMMANDS)]


@pytest.fixture
def growable() -> Iterator[None]:
    """Claims may be grown; whether the volume behind grows is the storage's own affair."""
    classes = Kube("default").list("storageclasses")
    default = next(found for found in classes if "true" in found["metadata"].get("annotations", {}).values())
    name, before = default["metadata"]["name"], default.get("allowVolumeExpansion", False)

    def allow(growing: bool) -> None:
        run("kubectl", "patch", "storageclass", name, "--patch", json.dumps({"allowVolumeExpansion": growing}))

    allow(True)
    yield
    allow(before)


@pytest.mark.guarantee("K8S-docs")
@pytest.mark.full_size
@pytest.mark.timeout(2700)
@pytest.mark.usefixtures("growable")
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk[-1])
def test_every_command_of_the_pages_does_what_they_say(
    room: Slot,
    preset: Release,
    place: Place,
    tag: str,
    walk: tuple[str, ...],
    tmp_path: Path,
    tell: Callable[[str], None],
) -> None:
    if not place.registry:
        pytest.skip("the pages push to a registry; set CLUSTER_REGISTRY")
    reader, env = reader_of(preset, place, tag, tmp_path / "checkout")
    room.held = preset
    for page in walk:
        if page == "upgrade.md":
            env["VERSION"] = f"{tag}-next"
        trouble = reader.follow(page)
        assert not trouble, trouble
    tell(f"{' -> '.join(walk)}: {len(reader.done)} lines of commands")
