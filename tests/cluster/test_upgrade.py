"""P9: while people write, five a second, a release is replaced by the next and brought back; one pod of each service.

Every request succeeds within three tries and thirty seconds, and every message is answered once. What was there before
the migration is on the claim for backups.
"""

from collections.abc import Callable

import pytest

from support.cluster.backups import verified
from support.cluster.outside import Outside
from support.cluster.place import Place
from support.cluster.release import Release
from support.cluster.slot import Slot
from support.cluster.upheaval import people_writing, written_by_this_release


@pytest.mark.guarantee("P9-upgrade", "K8S-backup")
@pytest.mark.timeout(1500)
def test_nothing_is_lost_while_a_release_is_replaced(
    room: Slot, before: Release, scripted_preset: Release, outside: Outside, place: Place, tag: str,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    outside.make_secret(before.kube)
    room.held = before
    before.install()
    first = before.revision()
    with people_writing(outside, before, tell) as log:
        log.step("upgrade", scripted_preset.upgrade)
        assert written_by_this_release(scripted_preset) > 0
        log.step("rollback", lambda: before.rollback(first))
        log.step("upgrade again", scripted_preset.upgrade)
    if before.head != scripted_preset.head:  # the second upgrade found nothing left to migrate
        (dump,) = verified(scripted_preset, place.image("platformctl", tag))
        assert dump.revision == before.head
        assert dump.tables["coaching.messages"] > 0
        tell(f"  one backup of revision {dump.revision}, {dump.bytes} bytes in {len(dump.tables)} tables")
    room.held = scripted_preset  # what the tests after this one begin with
