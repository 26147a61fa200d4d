"""P9 with two pods of each service and three servers of NATS: upgrade, rollback, each pod, NATS, while people write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.cluster.outside import Outside
from support.cluster.release import Release
from support.cluster.replicas import values_file
from support.cluster.slot import Slot
from support.cluster.upheaval import delete_each_pod, people_writing, restart, written_by_this_release


@pytest.mark.guarantee("P9-upgrade")
@pytest.mark.full_size
@pytest.mark.timeout(2700)
def test_nothing_is_lost_while_everything_is_replaced(
    room: Slot, before: Release, scripted_preset: Release, outside: Outside, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    replicas = values_file(tmp_path)
    old, new = before.with_files(replicas), scripted_preset.with_files(replicas)
    outside.make_secret(old.kube)
    room.held = old
    old.install()
    first = old.revision()
    with people_writing(outside, old, tell) as log:
        log.step("upgrade", new.upgrade)
        assert written_by_this_release(new) > 0
        log.step("rollback", lambda: old.rollback(first))
        log.step("upgrade again", new.upgrade)
        delete_each_pod(new, log)
        log.step("restart of NATS", lambda: restart(new, f"statefulset/{new.object('nats')}"))
