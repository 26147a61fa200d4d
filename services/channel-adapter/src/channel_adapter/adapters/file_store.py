"""Content in a folder or in S3, named by its SHA-256: one interface, one way of naming, nothing ever changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from channel_adapter.app.ports import FileStoreError
from channel_adapter.settings import UploadSettings

if TYPE_CHECKING:  # the library has these for type checkers only
    from obstore.store import ClientConfig, RetryConfig

FAILURES = (BaseError, OSError)
S3_TRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


class ObjectFileStore:
    """Any object store. Its calls run in threads: the library's own async calls can abort the exit of a process."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def put(self, organization_id: str, sha256: str, content: bytes) -> None:
        """A folder gets a temporary file that is renamed, S3 stores a whole object or none."""
        try:
            await asyncio.to_thread(obstore.put, self._store, path_of(organization_id, sha256), content)
        except FAILURES:
            raise FileStoreError from None

    async def get(self, organization_id: str, sha256: str) -> bytes | None:
        def read() -> bytes:
            return bytes(obstore.get(self._store, path_of(organization_id, sha256)).bytes())

        try:
            return await asyncio.to_thread(read)
        except FileNotFoundError:
            return None
        except FAILURES:
            raise FileStoreError from None

    async def delete(self, organization_id: str, sha256: str) -> None:
        try:
            await asyncio.to_thread(obstore.delete, self._store, path_of(organization_id, sha256))
        except FileNotFoundError:
            return
        except FAILURES:
            raise FileStoreError from None

    async def check(self) -> None:
        try:
            await asyncio.to_thread(obstore.list_with_delimiter, self._store, "none/")
        except FAILURES:
            raise FileStoreError from None


def path_of(organization_id: str, sha256: str) -> str:
    """Return where content lies: organisations apart, and few files a folder."""
    return f"{organization_id}/{sha256[:2]}/{sha256}"


def open_file_store(settings: UploadSettings) -> ObjectFileStore:
    """Return the store that the settings name; S3's credentials come from the environment, as its tools have them.

    Raises FileStoreError where the folder cannot be made or written.
    """
    if settings.uploads_s3_bucket:
        endpoint = settings.uploads_s3_endpoint_url
        options: ClientConfig = {"allow_http": bool(endpoint and endpoint.startswith("http://"))}
        return ObjectFileStore(
            S3Store(settings.uploads_s3_bucket, endpoint=endpoint, client_options=options, retry_config=S3_TRIES)
        )
    folder = Path(settings.uploads_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return ObjectFileStore(LocalStore(folder.resolve(), mkdir=True))
    except FAILURES:
        raise FileStoreError from None
