"""Content in a folder or in S3, named by its SHA-256: one interface, one way of naming, nothing ever changed."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from channel_adapter.adapters.folder import Folder, make_folder
from channel_adapter.adapters.s3.bucket import Bucket
from channel_adapter.adapters.s3.keys import key_source
from channel_adapter.adapters.s3.roles import amazon
from channel_adapter.app.ports import FileFault, FileStoreError
from channel_adapter.settings import UploadSettings

DEFAULT_REGION = "us-east-1"
PROBE = "probe"  # no organisation's name
HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Objects(Protocol):
    """Content by path; all calls raise FileStoreError."""

    async def put(self, path: str, content: bytes) -> None:
        """Store it whole or not at all."""

    async def get(self, path: str) -> bytes | None:
        """Return it, None where there is none."""

    async def delete(self, path: str) -> None:
        """Remove it, if it is there."""

    async def close(self) -> None:
        """Let go of connections."""


class ObjectFileStore:
    """Names content; close it in the event loop that used it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.close = objects.close

    async def put(self, organization_id: str, sha256: str, content: bytes) -> None:
        await self._objects.put(path_of(organization_id, sha256), content)

    async def get(self, organization_id: str, sha256: str) -> bytes | None:
        return await self._objects.get(path_of(organization_id, sha256))

    async def delete(self, organization_id: str, sha256: str) -> None:
        await self._objects.delete(path_of(organization_id, sha256))

    async def check(self) -> None:
        await self._objects.put(PROBE, b"")  # not a listing: what stores files need not be allowed to list them
        await self._objects.delete(PROBE)


def path_of(organization_id: str, sha256: str) -> str:
    """Return where content lies: organisations apart, and few files a folder."""
    return f"{organization_id}/{sha256[:2]}/{sha256}"


def open_file_store(settings: UploadSettings) -> ObjectFileStore:
    """Return the store that the settings name; S3's credentials and region come from the environment, as its tools do.

    Raises FileStoreError where the folder cannot be made, or the S3's address is none.
    """
    if settings.uploads_s3_bucket:
        return ObjectFileStore(_bucket(settings.uploads_s3_bucket, settings.uploads_s3_endpoint_url))
    folder = Path(settings.uploads_dir)
    try:
        make_folder(folder)
    except OSError:
        raise FileStoreError(FileFault.REFUSED) from None
    return ObjectFileStore(Folder(folder.resolve()))


def _bucket(name: str, endpoint: str | None) -> Bucket:
    # A chart sets what it has no value for to nothing.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    # The machine's clock, not that of a test: S3 refuses what was signed a quarter of an hour ago.
    keys = key_source(os.environ, region, _now)
    return Bucket(bucket_address(name, endpoint, region), region, keys, _now)


def bucket_address(name: str, endpoint: str | None, region: str) -> str:
    """Return where a bucket's objects are: Amazon wants its name in the host's, every other S3 knows it in the path.

    Raises FileStoreError where the endpoint is no address, or one with a user or password.
    """
    if not endpoint:
        in_host = HOST_LABEL.fullmatch(name)  # one with dots has no certificate
        return f"https://{name}.s3.{amazon(region)}" if in_host else f"https://s3.{amazon(region)}/{quote(name)}"
    try:
        url = urlsplit(endpoint)
        # Reading the port checks it, and encoding the host its labels. "@": a password belongs in no address.
        host = (url.hostname or "").encode("idna")
        valid = url.scheme in ("http", "https") and host and url.port != 0 and "@" not in url.netloc
    except ValueError:
        valid = False
    if not valid:
        raise FileStoreError(FileFault.ADDRESS)
    return f"{endpoint.rstrip('/')}/{quote(name)}"


def _now() -> datetime:
    return datetime.now(UTC)
