"""The operators' pages, followed to the letter: every command is run, in two walks from an empty namespace."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cluster.checkout import copied
from support.cluster.pages import Reader
from support.cluster.place import Place
from support.cluster.release import Release
from support.cluster.slot import Slot
from support.ports import free_port
from support.tree import ROOT

# Each begins by installing. Configuring ends with three servers of NATS, which is not what uninstalling speaks of.
WALKS = (
    ("install.md", "sizing.md", "upgrade.md", "rollback.md", "scale.md", "registry.md", "uninstall.md"),
    ("install.md", "configure.md"),
)
PROMISED = {"install.md", "upgrade.md", "rollback.md", "configure.md", "scale.md", "uninstall.md"}


def test_every_page_is_walked() -> None:
    assert {page for walk in WALKS for page in walk} >= PROMISED


@pytest.mark.guarantee("K8S-docs")
@pytest.mark.timeout(2700)
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
    folder = copied(tmp_path / "checkout")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    port = free_port()
    env = {
        "NAMESPACE": preset.kube.namespace, "RELEASE": preset.name, "REGISTRY": place.registry, "VERSION": tag,
        "PATH": f"{folder}/.venv/bin:{os.environ['PATH']}",
    }  # fmt: skip
    reader = Reader(folder, env, {"8080:8080": f"{port}:8080", "localhost:8080": f"localhost:{port}"})
    room.held = preset
    for page in walk:
        if page == "upgrade.md":
            env["VERSION"] = f"{tag}-next"
        trouble = reader.follow(page)
        assert not trouble, trouble
    tell(f"{' -> '.join(walk)}: {len(reader.done)} lines of commands")
