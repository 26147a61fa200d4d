"""Content in a folder."""

import asyncio
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
        await _attempt(lambda: _write(self._root / path, content))

    async def get(self, path: str) -> bytes | None:
        return await _attempt(lambda: _read(self._root / path))

    async def delete(self, path: str) -> None:
        await _attempt(lambda: (self._root / path).unlink(missing_ok=True))

    async def close(self) -> None:
        """Nothing is open."""


async def _attempt(call: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(call)
    except PermissionError:
        raise FileStoreError(FileFault.REFUSED) from None
    except OSError:
        raise FileStoreError from None


def _write(path: Path, content: bytes) -> None:
    """Write beside the place, bring it to the disk, rename: a row names the file only after that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
