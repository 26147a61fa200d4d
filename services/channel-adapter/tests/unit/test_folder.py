"""What a folder promises beyond the suite of all stores: names outlast a loss of power, no path leaves it."""

import errno
import os
import threading
from pathlib import Path

import pytest

from channel_adapter.adapters.file_store import open_file_store
from channel_adapter.adapters.folder import Folder
from channel_adapter.app.ports import FileFault, FileStoreError
from channel_adapter.settings import UploadSettings

PATH = "organization/ab/abcd"


class Disk:
    """Notes what is brought to the disk, what it held then, and in which thread; the disk itself is left alone."""

    def __init__(self) -> None:
        self.folders: dict[Path, set[str]] = {}
        self.threads: set[int] = set()

    def fsync(self, opened: int) -> None:
        self.threads.add(threading.get_ident())
        path = Path(f"/proc/self/fd/{opened}").readlink()
        if path.is_dir():
            self.folders[path] = {entry.name for entry in path.iterdir()}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    noted = Disk()
    monkeypatch.setattr(os, "fsync", noted.fsync)
    return noted


async def test_a_file_and_the_folders_made_for_it_are_brought_to_the_disk_by_name(tmp_path: Path, disk: Disk) -> None:
    await Folder(tmp_path).put(PATH, b"content")
    place = tmp_path / PATH
    assert disk.folders == {
        tmp_path: {"organization"}, tmp_path / "organization": {"ab"}, place.parent: {"abcd"},
    }  # fmt: skip
    assert disk.threads.isdisjoint({threading.get_ident()})  # the event loop's


async def test_folders_that_were_there_are_left_alone(tmp_path: Path, disk: Disk) -> None:
    folder = Folder(tmp_path)
    await folder.put(PATH, b"content")
    disk.folders.clear()
    await folder.put(f"{PATH}ef", b"content")
    assert disk.folders == {(tmp_path / PATH).parent: {"abcd", "abcdef"}}


def test_the_folder_itself_is_brought_to_the_disk_by_name(tmp_path: Path, disk: Disk) -> None:
    open_file_store(UploadSettings(_env_file=None, uploads_dir=str(tmp_path / "a" / "b")))
    assert disk.folders == {tmp_path: {"a"}, tmp_path / "a": {"b"}}


@pytest.mark.parametrize(("number", "stored"), [(errno.EINVAL, True), (errno.EBADF, True), (errno.EIO, False)])
async def test_a_file_system_that_cannot_do_it_still_keeps_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, stored: bool
) -> None:
    def fsync(opened: int) -> None:
        if Path(f"/proc/self/fd/{opened}").readlink().is_dir():
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    folder = Folder(tmp_path)
    if stored:
        await folder.put("a", b"content")
        assert await folder.get("a") == b"content"
    else:
        with pytest.raises(FileStoreError):
            await folder.put("a", b"content")


@pytest.mark.parametrize("path", ["../file", "a/../../file", "/{outside}/file", ".."])
async def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    file = tmp_path / "file"
    file.write_text("somebody else's")
    folder = Folder(tmp_path / "uploads")
    path = path.replace("/{outside}", str(tmp_path))
    for call in (folder.put(path, b"content"), folder.get(path), folder.delete(path)):
        with pytest.raises(FileStoreError) as failed:
            await call
        assert failed.value.fault is FileFault.REFUSED
    assert file.read_text() == "somebody else's"
