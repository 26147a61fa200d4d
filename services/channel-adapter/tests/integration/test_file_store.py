"""A folder, an S3 and the memory of the tests keep files in the same way."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channel_adapter.adapters.file_store import open_file_store, path_of
from channel_adapter.app.ports import FileStore, FileStoreError
from channel_adapter.settings import UploadSettings
from fakes.channel_ports import ORGANIZATION, MemoryFileStore
from fakes.s3 import FakeS3

OTHER = "22222222-0000-7000-8000-000000000002"
SHA = "ab" * 32


def settings(**values: Any) -> UploadSettings:
    return UploadSettings(_env_file=None, **values)


@pytest.fixture(params=["memory", "folder", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FileStore]:
    if request.param == "memory":
        yield MemoryFileStore()
    elif request.param == "folder":
        yield open_file_store(settings(uploads_dir=str(tmp_path / "new" / "uploads")))
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
        async with FakeS3() as s3:
            yield open_file_store(settings(uploads_s3_bucket="uploads", uploads_s3_endpoint_url=s3.url))


async def test_what_is_put_can_be_got(store: FileStore) -> None:
    await store.put(ORGANIZATION, SHA, b"content" * 1000)
    assert await store.get(ORGANIZATION, SHA) == b"content" * 1000
    await store.check()


async def test_putting_twice_changes_nothing(store: FileStore) -> None:
    await store.put(ORGANIZATION, SHA, b"content")
    await store.put(ORGANIZATION, SHA, b"content")
    assert await store.get(ORGANIZATION, SHA) == b"content"


async def test_organisations_do_not_see_each_other(store: FileStore) -> None:
    await store.put(ORGANIZATION, SHA, b"content")
    assert await store.get(OTHER, SHA) is None


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: FileStore) -> None:
    await store.put(ORGANIZATION, SHA, b"content")
    await store.delete(ORGANIZATION, SHA)
    await store.delete(ORGANIZATION, SHA)
    assert await store.get(ORGANIZATION, SHA) is None


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_folder_holds_whole_files_only(tmp_path: Path) -> None:
    store = open_file_store(settings(uploads_dir=str(tmp_path)))
    await store.put(ORGANIZATION, SHA, b"content")
    assert files_in(tmp_path) == [tmp_path / path_of(ORGANIZATION, SHA)]


async def test_an_s3_that_does_not_answer_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    monkeypatch.setattr("channel_adapter.adapters.file_store.S3_TRIES", {"max_retries": 0})
    store = open_file_store(settings(uploads_s3_bucket="uploads", uploads_s3_endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(FileStoreError):
        await store.put(ORGANIZATION, SHA, b"content")


def test_a_folder_that_cannot_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(FileStoreError):
        open_file_store(settings(uploads_dir=str(blocked / "uploads")))


def test_the_folder_is_made(tmp_path: Path) -> None:
    open_file_store(settings(uploads_dir=str(tmp_path / "a" / "b")))
    assert (tmp_path / "a" / "b").is_dir()
