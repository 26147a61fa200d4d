"""Stores beside the release, as in production: the migration is a hook before everything else, also when it fails."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.cluster.backups import verified
from support.cluster.broken import REFUSED, TAKEN_BACK, after
from support.cluster.outside import Outside
from support.cluster.place import Place
from support.cluster.programs import CommandError, attempt
from support.cluster.release import Release
from support.cluster.slot import Slot
from support.cluster.stores import Stores
from support.cluster.upheaval import people_writing

WITHIN_SECONDS = 300
GIVEN_SECONDS = 240


@pytest.fixture
def stores(room: Slot, preset: Release) -> Iterator[Stores]:
    stores = Stores.beside(preset)
    try:
        stores.start()
        yield stores
        room.clear()
    finally:
        stores.remove()


def fails(broken: Release) -> None:
    """Upgrade to a release whose migration the database refuses."""
    begun = time.monotonic()
    with pytest.raises(CommandError):
        broken.upgrade(seconds=GIVEN_SECONDS)
    assert time.monotonic() - begun < WITHIN_SECONDS


def nothing_changed(release: Release, generations: dict[str, int], pods: dict[str, str]) -> bool:
    """Return whether every object and pod is as it was; fails with what is new and not the failed hook's own."""
    now = release.generations()
    assert {name: now.get(name) for name in generations} == generations
    assert not {name for name in now if name not in generations and release.object("migrations") not in name}
    assert release.pod_uids() == pods
    return True


@pytest.mark.guarantee("K8S-external")
@pytest.mark.full_size
@pytest.mark.timeout(1800)
def test_a_release_on_stores_of_ones_own_is_installed_upgraded_and_spared_a_migration_that_fails(
    room: Slot, stores: Stores, scripted_preset: Release, outside: Outside, place: Place, tag: str, tmp_path: Path,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    release = stores.used_by(scripted_preset, tmp_path)
    outside.make_secret(release.kube)
    room.held = release
    release.install()
    assert not release.kube.list("statefulsets", release.selector)
    assert "external" in json.dumps(release.kube.get(f"configmap/{release.object('installed')}")["data"])
    release.test()

    with people_writing(outside, release, tell) as log:
        changed = release.with_settings("coaching.settings.TURN_SETTLE_SECONDS=0.9")
        log.step("upgrade", changed.upgrade)
        generations, pods = changed.generations(), changed.pod_uids()
        broken = after(changed, place, tag, tmp_path)
        log.step("upgrade that fails", lambda: fails(broken))
        assert nothing_changed(changed, generations, pods)
        status = attempt(
            ".venv/bin/platformctl", "status", "--namespace", release.kube.namespace, "--release", release.name
        )
        assert (status.status, REFUSED in status.out) == (1, True)
        log.step("upgrade again", changed.upgrade)
    assert stores.query(TAKEN_BACK) == "t"
    # One for each try of the migration that failed; the release's own needed none.
    assert {dump.revision for dump in verified(release, place.image("platformctl", tag))} == {release.head}
