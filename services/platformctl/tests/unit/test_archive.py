"""A folder of backups: what counts as one, and that none leaves before a better one is there."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from platformctl.db.archive import UNFINISHED, Archive, Backup, name_of
from platformctl.db.errors import DatabaseError

FIRST = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "backups")


def take(archive: Archive, number: int, content: bytes = b"PGDMP...") -> Backup:
    path = archive.begin()
    path.write_bytes(content)
    return archive.accept(path, name_of(FIRST + timedelta(hours=number), "0005", f"{number:06x}"), {"revision": "0005"})


def names(archive: Archive) -> list[str]:
    return sorted(path.name for path in archive.folder.iterdir())


def test_a_backup_is_a_dump_and_a_manifest_for_its_owner_alone(archive: Archive) -> None:
    backup = take(archive, 1)
    assert names(archive) == [
        "coaching-20261123T050000Z-0005-000001.dump",
        "coaching-20261123T050000Z-0005-000001.json",
    ]
    told = json.loads(backup.manifest.read_text())
    assert (told["bytes"], told["dump"], told["revision"]) == (8, backup.dump.name, "0005")
    assert len(told["sha256"]) == 64
    assert backup.dump.stat().st_mode & 0o777 == 0o600
    assert archive.backups() == [backup]


def test_only_the_newest_stay(archive: Archive) -> None:
    taken = [take(archive, number) for number in range(4)]
    assert archive.leaving(2) == taken[:3]  # if one more came in
    assert archive.evict(2, taken[-1]) == [backup.dump for backup in taken[:2]]
    assert archive.backups() == taken[2:]
    assert len(names(archive)) == 4


def test_the_new_one_stays_even_when_a_clock_went_back(archive: Archive) -> None:
    later, earlier = take(archive, 5), take(archive, 1)
    assert archive.evict(1, earlier) == [later.dump]
    assert archive.backups() == [earlier]


def test_what_is_not_whole_neither_counts_nor_pushes_a_good_one_out(archive: Archive) -> None:
    good = take(archive, 1)
    cut, orphan = take(archive, 2), take(archive, 3)
    os.truncate(cut.dump, 3)
    orphan.manifest.unlink()
    garbled = take(archive, 4)
    garbled.manifest.write_text("{")
    newest = take(archive, 5)
    assert archive.backups() == [good, newest]
    assert archive.evict(2, newest) == []
    assert archive.backups() == [good, newest]


def test_other_files_in_the_folder_are_left_alone(archive: Archive) -> None:
    take(archive, 1)
    (archive.folder / "coaching-notes.json").write_text("{}")
    (archive.folder / "mine.dump").write_text("mine")
    newest = take(archive, 2)
    archive.evict(1, newest)
    assert {"coaching-notes.json", "mine.dump"} < set(names(archive))


def test_what_a_killed_run_left_is_removed(archive: Archive) -> None:
    archive.folder.mkdir()
    (archive.folder / f"{UNFINISHED}99.dump").write_text("half")
    begun = archive.begin()
    assert list(archive.folder.iterdir()) == [begun]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="Backups cannot be written to"):
        Archive(tmp_path / "file" / "backups").begin()
