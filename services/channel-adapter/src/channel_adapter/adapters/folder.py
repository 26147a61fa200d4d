"""Content in a folder."""

import asyncio
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from channel_adapter.app.ports import FileFault, FileStoreError

T = TypeVar("T")


class Folder:
    """Paths below one folder; files appear there whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, path: str, content: bytes) -> None:
        await _attempt(lambda: _write(self._at(path), content))

    async def get(self, path: str) -> bytes | None:
        return await _attempt(lambda: _read(self._at(path)))

    async def delete(self, path: str) -> None:
        await _attempt(lambda: self._at(path).unlink(missing_ok=True))

    async def close(self) -> None:
        """Nothing is open."""

    def _at(self, path: str) -> Path:
        if path.startswith("/") or ".." in Path(path).parts:  # no path of ours leaves the folder
            raise FileStoreError(FileFault.REFUSED)
        return self._root / path


async def _attempt(call: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(call)
    except PermissionError:
        raise FileStoreError(FileFault.REFUSED) from None
    except OSError:
        raise FileStoreError from None


def _write(path: Path, content: bytes) -> None:
    """Write beside the place, bring it to the disk, rename: a row names the file only after that."""
    make_folder(path.parent)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _bring_to_disk(path.parent)


def make_folder(path: Path) -> None:
    """Make it and those above it, each brought to the disk as an entry of the one above; raises OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        _bring_to_disk(path.parent)


def _bring_to_disk(folder: Path) -> None:
    """Without it, a loss of power can take the names of files whose content is there."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # file systems that cannot do it, some of networks
            raise
    finally:
        os.close(opened)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
