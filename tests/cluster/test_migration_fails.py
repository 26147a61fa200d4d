"""An upgrade whose migration the database refuses: the old version goes on, and the operator is told why."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.cluster.broken import REFUSED, SERVICES, TAKEN_BACK, after
from support.cluster.outside import Outside
from support.cluster.place import Place
from support.cluster.programs import CommandError, attempt
from support.cluster.release import Release
from support.cluster.upheaval import kept
from support.guarantees import FULL

WITHIN_SECONDS = 300
# Both tries of the migration have failed by then, and until then the old version is written to.
GIVEN_SECONDS = 240 if FULL else 100


@pytest.fixture
def broken(scripted: Release, place: Place, tag: str, tmp_path: Path) -> Iterator[Release]:
    """The next release, whose migration fails; what it leaves is put right."""
    yield after(scripted, place, tag, tmp_path)
    scripted.upgrade()


@dataclass(frozen=True, slots=True)
class Seen:
    """A pod of a service. `started`: its own container was started, whatever became of it."""

    component: str
    ready: bool
    restarts: int
    started: bool


def services(release: Release) -> dict[str, Seen]:
    """Return every pod of our services, by uid."""
    found = {}
    for pod in release.pods():
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component in SERVICES:
            main = pod["status"].get("containerStatuses", [{}])[0]
            begun = bool({"running", "terminated"} & set(main.get("state", {})) or main.get("lastState"))
            found[pod["metadata"]["uid"]] = Seen(
                component, main.get("ready", False), main.get("restartCount", 0), begun
            )
    return found


def only_the_old_serve(old: Mapping[str, Seen], now: Mapping[str, Seen]) -> bool:
    """Return whether each old pod is as it was; fails with what is new and was ever ready, and what did not try."""
    assert {uid: now.get(uid) for uid in old} == dict(old)
    new = [seen for uid, seen in now.items() if uid not in old]
    assert {seen.component for seen in new} == set(SERVICES)
    assert not [seen for seen in new if seen.started]
    return True


@pytest.mark.guarantee("K8S-migration-fails")
@pytest.mark.smaller("helm is given 100 seconds instead of 240")
@pytest.mark.timeout(900)
def test_the_old_version_answers_and_status_says_what_the_database_said(
    scripted: Release, broken: Release, outside: Outside, tell: Callable[[str], None]
) -> None:
    before = scripted.revision()
    head = scripted.head
    old = services(scripted)
    assert {seen.component for seen in old.values() if seen.ready} == set(SERVICES)
    outside.begin(f"http://{scripted.object('web')}.{scripted.kube.namespace}:8080")
    try:
        begun = time.monotonic()
        with pytest.raises(CommandError):
            broken.upgrade(seconds=GIVEN_SECONDS)
        seconds = time.monotonic() - begun
        assert seconds < WITHIN_SECONDS

        status = attempt(
            ".venv/bin/platformctl", "status", "--namespace", scripted.kube.namespace, "--release", scripted.name
        )
        assert status.status == 1
        assert f"schema revision {head}" in status.out
        assert REFUSED in status.out
        assert only_the_old_serve(old, services(scripted))
        scripted.rollback(before)
    finally:
        ledger = outside.end()
    tell(f"helm upgrade gave up after {seconds:.0f} s; meanwhile {ledger}")
    assert kept(ledger, seconds)
    pod = f"{scripted.object('postgresql')}-0"
    assert scripted.kube("exec", pod, "--", "psql", "-h", "127.0.0.1", "-qtAc", TAKEN_BACK).strip() == "t"
