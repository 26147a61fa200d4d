"""Content in a folder or in S3, named by its SHA-256: one interface, one way of naming, nothing ever changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, S3Store

from channel_adapter.app.ports import FileFault, FileStoreError
from channel_adapter.settings import UploadSettings

if TYPE_CHECKING:  # the library has these for type checkers only
    from obstore.store import ClientConfig, RetryConfig

T = TypeVar("T")
REFUSALS = (PermissionDeniedError, UnauthenticatedError, PermissionError)
NO_BUCKET = "NoSuchBucket"  # in S3's answer: the library has one class for a bucket and an object that are not there
S3_TRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
S3_TIMES: ClientConfig = {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=10)}
DEFAULT_REGION = "us-east-1"
PROBE = "probe"  # no organisation's name


class ObjectFileStore:
    """Any object store. Its calls run in threads: the library's own async calls can abort the exit of a process."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def put(self, organization_id: str, sha256: str, content: bytes) -> None:
        """A folder gets a temporary file that is renamed, S3 stores a whole object or none."""
        await self._put(path_of(organization_id, sha256), content)

    async def get(self, organization_id: str, sha256: str) -> bytes | None:
        def read() -> bytes:
            return bytes(obstore.get(self._store, path_of(organization_id, sha256)).bytes())

        return await _if_there(read)

    async def delete(self, organization_id: str, sha256: str) -> None:
        await self._delete(path_of(organization_id, sha256))

    async def check(self) -> None:
        await self._put(PROBE, b"")  # not a listing: what stores files need not be allowed to list them
        await self._delete(PROBE)

    async def _put(self, path: str, content: bytes) -> None:
        # In one piece: in parts, what is left of an upload that broke would lie there unseen.
        if await _if_there(lambda: obstore.put(self._store, path, content, use_multipart=False)) is None:
            raise FileStoreError

    async def _delete(self, path: str) -> None:
        _ = await _if_there(lambda: obstore.delete(self._store, path))


async def _if_there(call: Callable[[], T]) -> T | None:
    """Return what the call returns, None where there is no such object; raises FileStoreError."""
    try:
        return await asyncio.to_thread(call)
    except FileNotFoundError as error:
        if NO_BUCKET in str(error):
            raise FileStoreError(FileFault.BUCKET) from None
        return None
    except REFUSALS:
        raise FileStoreError(FileFault.REFUSED) from None
    except (BaseError, OSError):
        raise FileStoreError from None


def path_of(organization_id: str, sha256: str) -> str:
    """Return where content lies: organisations apart, and few files a folder."""
    return f"{organization_id}/{sha256[:2]}/{sha256}"


def open_file_store(settings: UploadSettings) -> ObjectFileStore:
    """Return the store that the settings name; S3's credentials and region come from the environment, as its tools do.

    Raises FileStoreError where the folder cannot be made, or the S3's address is none.
    """
    if settings.uploads_s3_bucket:
        return ObjectFileStore(_s3(settings.uploads_s3_bucket, settings.uploads_s3_endpoint_url))
    folder = Path(settings.uploads_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return ObjectFileStore(LocalStore(folder.resolve(), mkdir=True))
    except (BaseError, OSError):
        raise FileStoreError(FileFault.REFUSED) from None


def _s3(bucket: str, endpoint: str | None) -> S3Store:
    url = urlsplit(endpoint or "https://")
    if url.scheme not in ("http", "https") or (endpoint and not url.hostname):
        raise FileStoreError(FileFault.ADDRESS)
    # A chart sets what it has no value for to nothing, which the library would take for a region.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    return S3Store(
        bucket, endpoint=endpoint, region=region, client_options={**S3_TIMES, "allow_http": url.scheme == "http"},
        retry_config=S3_TRIES,
    )  # fmt: skip
