"""A folder, an S3 (our small one and a real one) and the memory of the tests keep files in the same way."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from channel_adapter.adapters.file_store import ObjectFileStore, open_file_store, path_of
from channel_adapter.app.ports import FileFault, FileStore, FileStoreError
from channel_adapter.settings import UploadSettings
from fakes.channel_ports import ORGANIZATION, MemoryFileStore
from fakes.s3 import FakeS3
from support.minio import KEY, SECRET, running_minio

OTHER = "22222222-0000-7000-8000-000000000002"
SHA = "ab" * 32
BUCKET = "uploads"


def settings(**values: Any) -> UploadSettings:
    return UploadSettings(_env_file=None, **values)


@asynccontextmanager
async def opened(values: UploadSettings) -> AsyncIterator[ObjectFileStore]:
    store = open_file_store(values)
    yield store
    await store.close()


def in_s3(url: str, bucket: str = BUCKET) -> UploadSettings:
    return settings(uploads_s3_bucket=bucket, uploads_s3_endpoint_url=url)


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_minio(tmp_path_factory.mktemp("minio"), BUCKET) as url:
        yield url


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@pytest.fixture(params=["memory", "folder", "s3", "minio"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, credentials: None) -> AsyncIterator[FileStore]:
    if request.param == "memory":
        yield MemoryFileStore()
    elif request.param == "folder":
        async with opened(settings(uploads_dir=str(tmp_path / "new" / "uploads"))) as store:
            yield store
    elif request.param == "minio":
        async with opened(in_s3(request.getfixturevalue("minio"))) as store:
            yield store
    else:
        async with FakeS3() as s3, opened(in_s3(s3.url)) as store:
            yield store


async def test_what_is_put_can_be_got(store: FileStore) -> None:
    await store.put(ORGANIZATION, SHA, b"content" * 1000)
    assert await store.get(ORGANIZATION, SHA) == b"content" * 1000
    await store.check()


async def test_a_large_file_arrives_whole(store: FileStore) -> None:
    content = os.urandom(1024) * 1024 * 20
    await store.put(ORGANIZATION, SHA, content)
    assert await store.get(ORGANIZATION, SHA) == content


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


async def test_something_else_in_its_place_is_an_error_of_ours(tmp_path: Path) -> None:
    store = open_file_store(settings(uploads_dir=str(tmp_path)))
    (tmp_path / ORGANIZATION).write_text("no folder")
    with pytest.raises(FileStoreError) as failed:
        await store.put(ORGANIZATION, SHA, b"content")
    assert failed.value.fault is FileFault.UNREACHABLE
    assert files_in(tmp_path) == [tmp_path / ORGANIZATION]


async def test_a_folder_holds_whole_files_only(tmp_path: Path) -> None:
    store = open_file_store(settings(uploads_dir=str(tmp_path)))
    await store.put(ORGANIZATION, SHA, b"content")
    await store.check()
    assert files_in(tmp_path) == [tmp_path / path_of(ORGANIZATION, SHA)]


async def faults_of(values: UploadSettings) -> set[FileFault]:
    """Return how each call fails; all must."""
    found = set()
    async with opened(values) as store:
        calls = (
            store.check(), store.put(ORGANIZATION, SHA, b"content"), store.get(ORGANIZATION, SHA),
            store.delete(ORGANIZATION, SHA),
        )  # fmt: skip
        for call in calls:
            with pytest.raises(FileStoreError) as failed:
                await call
            found.add(failed.value.fault)
    return found


async def test_a_bucket_that_is_missing_is_no_missing_file(minio: str, credentials: None) -> None:
    assert await faults_of(in_s3(minio, "no-such-bucket")) == {FileFault.BUCKET}


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
async def test_credentials_that_are_refused_are_said_so(
    minio: str, credentials: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "wrong-one-4711")
    assert await faults_of(in_s3(minio)) == {FileFault.REFUSED}


async def test_an_empty_region_is_none(minio: str, credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "")
    async with opened(in_s3(minio)) as store:
        await store.check()


async def test_an_s3_that_does_not_answer_is_an_error_of_ours(
    credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channel_adapter.adapters.s3.bucket.TRIES", 1)
    assert await faults_of(in_s3("http://127.0.0.1:9")) == {FileFault.UNREACHABLE}


@pytest.mark.parametrize(
    "url",
    [
        "nonsense", "ftp://127.0.0.1:9", "http://", "http://me:pw@127.0.0.1:9", "http://me@127.0.0.1:9",
        f"http://{'a' * 64}:9", "http://a..b:9",
    ],
)  # fmt: skip
def test_what_is_no_address_is_said_at_the_start(url: str) -> None:
    with pytest.raises(FileStoreError, match="address"):
        open_file_store(in_s3(url))


def test_a_folder_that_cannot_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(FileStoreError):
        open_file_store(settings(uploads_dir=str(blocked / "uploads")))


def test_the_folder_is_made(tmp_path: Path) -> None:
    open_file_store(settings(uploads_dir=str(tmp_path / "a" / "b")))
    assert (tmp_path / "a" / "b").is_dir()
