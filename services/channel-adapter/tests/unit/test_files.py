"""What people send is kept whole, named by its content, and its loss never costs the message."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from channel_adapter.app.channel import Connection
from channel_adapter.app.files import KeepFiles
from channel_adapter.channels.telegram.handler import ABILITIES, TelegramReceiver
from channel_adapter.domain.delivery import Problem, ProviderError
from channel_adapter.domain.messages import FileKind, FileRefusal, FileRefusedError, KeptFile, RemoteFile
from fakes.channel_ports import ORGANIZATION, MemoryFileStore, MemoryRecords, MemorySender

PHOTO = RemoteFile("f1", FileKind.PHOTO, "image/jpeg", 5)
CONTENT = b"bytes of a photo"


@dataclass
class Source:
    content: bytes = CONTENT
    error: Exception | None = None
    hang: bool = False

    async def download(self, file: RemoteFile, limit_bytes: int) -> bytes:
        if self.hang:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.content


@dataclass
class Shelf:
    source: Source = field(default_factory=Source)
    store: MemoryFileStore = field(default_factory=MemoryFileStore)
    records: MemoryRecords = field(default_factory=MemoryRecords)

    async def keep(self, file: RemoteFile = PHOTO) -> KeptFile:
        connection = Connection(
            "telegram", "1000", ORGANIZATION, ABILITIES, TelegramReceiver(None), MemorySender(), files=self.source
        )
        return await KeepFiles(self.store, self.records, limit_bytes=100, timeout_seconds=0.05).keep(connection, file)


async def test_a_file_is_stored_under_its_sha256_and_then_named_by_a_row() -> None:
    shelf = Shelf()
    kept = await shelf.keep()
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert kept == KeptFile(FileKind.PHOTO, "image/jpeg", len(CONTENT), sha256)
    assert shelf.store.content == {(ORGANIZATION, sha256): CONTENT}
    assert shelf.records.files == [(ORGANIZATION, "telegram", "1000", kept)]


async def test_the_same_content_is_stored_once() -> None:
    shelf = Shelf()
    assert await shelf.keep() == await shelf.keep(replace(PHOTO, remote_id="f2"))
    assert len(shelf.store.content) == len(shelf.records.files) == 1


@pytest.mark.parametrize(
    ("breakage", "file", "reason"),
    [
        (lambda _: None, replace(PHOTO, size_bytes=101), FileRefusal.TOO_LARGE),
        (lambda shelf: setattr(shelf.source, "error", FileRefusedError(FileRefusal.TOO_LARGE)), PHOTO, "too_large"),
        (lambda shelf: setattr(shelf.source, "error", ProviderError(Problem.UNREACHABLE)), PHOTO, "unavailable"),
        (lambda shelf: setattr(shelf.source, "hang", True), PHOTO, "unavailable"),
        (lambda shelf: setattr(shelf.store, "available", False), PHOTO, "unavailable"),
        (lambda shelf: setattr(shelf.records, "available", False), PHOTO, "unavailable"),
    ],
)
async def test_a_file_that_cannot_be_kept_says_why(
    breakage: Callable[[Shelf], None], file: RemoteFile, reason: str
) -> None:
    shelf = Shelf()
    breakage(shelf)
    kept = await shelf.keep(file)
    assert (kept.sha256, kept.reason) == ("", reason)
    assert not shelf.records.files
