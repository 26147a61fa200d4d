"""Chroma in this process, on a folder that is this process's own."""

import asyncio
import fcntl
import re
import shutil
from pathlib import Path
from typing import IO

from chromadb.api.client import Client
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings
from chromadb.errors import ChromaError

from kit.log import get_logger
from kit.process import StartError
from vector_search.app.ports import VectorStore
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma.index import ChromaIndex
from vector_search.stores.chroma.store import ChromaStore
from vector_search.stores.chroma.versions import ProcessVersions

log = get_logger("vector_search.stores.chroma")

# SQLite's codes for what another file would not mend: busy, read-only, I/O error, full, cannot open.
NOT_THE_DATA = re.compile(r"\(code: (5|8|10|13|14)\)")


async def open_embedded(settings: VectorSearchSettings, model: str, dimensions: int) -> VectorStore:
    """Open the folder; unreadable data is moved aside, and the index is then empty and not complete.

    Raises StartError where the folder is in use, or cannot be written to.
    """
    return await asyncio.to_thread(_open, settings, model, dimensions)


def _open(settings: VectorSearchSettings, model: str, dimensions: int) -> VectorStore:
    folder = settings.vectors_dir.expanduser()
    lock = _lock(folder)
    aside = folder / "unreadable"
    try:
        client, index = _connect_or_begin_anew(folder / "chroma", aside, model, dimensions)
    except BaseException:
        lock.close()
        raise

    def close() -> None:
        client.close()
        lock.close()

    return ChromaStore(
        index,
        ProcessVersions(),
        readers=settings.max_workers,
        shared=False,
        close=close,
        # What was moved aside holds texts that may be forgotten later: it is kept no longer than it is needed.
        completed=lambda: shutil.rmtree(aside, ignore_errors=True),
    )


def _lock(folder: Path) -> IO[bytes]:
    """Take the folder for this process; the lock goes with the process, however it ends."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("ab")
    except OSError as error:
        raise StartError(f"VECTORS_DIR: {folder} cannot be written to ({error.strerror})") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StartError(
            f"VECTORS_DIR: {folder} is in use by another process: stop it, or set another folder"
        ) from None
    return lock


def _connect_or_begin_anew(data: Path, aside: Path, model: str, dimensions: int) -> tuple[Client, ChromaIndex]:
    try:
        return _connect(data, model, dimensions)
    except ChromaError as error:
        other = NOT_THE_DATA.search(str(error))
        if other:
            raise StartError(
                f"VECTORS_DIR: {data} cannot be used, SQLite {other.group(0)}: is the disk full?"
            ) from None
        log.warning("vectors_unreadable_moved_aside", path=str(aside), reason=type(error).__name__)
    shutil.rmtree(aside, ignore_errors=True)
    _ = data.rename(aside)
    # Chroma keeps what failed to open under the folder's name and would give it to us again.
    SharedSystemClient.clear_system_cache()
    return _connect(data, model, dimensions)


def _connect(data: Path, model: str, dimensions: int) -> tuple[Client, ChromaIndex]:
    client = Client(settings=Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(data)))
    try:
        index = ChromaIndex(client, model, dimensions)
        index.probe()
    except ChromaError:
        client.close()
        raise
    return client, index
