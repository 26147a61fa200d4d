"""One bucket: objects are put, got and deleted whole, and each of these may be tried again.

docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html has the statuses and codes.
"""

import asyncio
import hashlib
import io
import re
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote

import aiohttp
from yarl import URL

from channel_adapter.adapters.s3.keys import KeySource
from channel_adapter.adapters.s3.signature import Request, signed
from channel_adapter.app.ports import FileFault, FileStoreError
from kit import log
from kit.backoff import Backoff
from kit.proxy import environment_proxy

TRIES = 4
PATIENCE_SECONDS = 10.0  # after which nothing is tried again
PAUSES = Backoff(first=0.1, most=2.0)
TIMES = aiohttp.ClientTimeout(total=10, connect=3)
KEEP_IDLE_SECONDS = 20.0
# Beside 5xx: waited too long, somebody else is at it, too many requests ("SlowDown" is 503).
PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
CODE = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")
NO_BUCKET = ("NoSuchBucket", "InvalidBucketName")

_log = log.get_logger("channel_adapter.s3")


class Answer(NamedTuple):
    """What S3 said; the code is its word for an error."""

    status: int
    content: bytes

    @property
    def code(self) -> str:
        found = CODE.search(self.content) if self.status >= HTTPStatus.MULTIPLE_CHOICES else None
        return found[1].decode() if found else ""

    @property
    def passing(self) -> bool:
        late = self.status in PASSING or self.code == "RequestTimeout"  # whose status is 400
        return late or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class Bucket:
    """Use it in one event loop, and close it there."""

    def __init__(self, address: str, region: str, keys: KeySource, now: Callable[[], datetime]) -> None:
        self._address = address.rstrip("/")
        self._region = region
        self._keys = keys
        self._now = now
        self._proxy = environment_proxy(address)
        self._http: aiohttp.ClientSession | None = None

    async def put(self, path: str, content: bytes) -> None:
        """In one piece: in parts, what is left of an upload that broke would lie there unseen."""
        if _expected(await self._ask("PUT", path, content)) is None:
            raise FileStoreError  # an address where no S3 is

    async def get(self, path: str) -> bytes | None:
        return _expected(await self._ask("GET", path))

    async def delete(self, path: str) -> None:
        _ = _expected(await self._ask("DELETE", path))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _ask(self, method: str, path: str, content: bytes = b"") -> Answer:
        """Return an answer that would be the same the next time; raises FileStoreError where none came."""
        url = URL(f"{self._address}/{quote(path)}", encoded=True)
        sha256 = (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
        headers = {"host": url.host_port_subcomponent or ""}
        request = Request(method, url.raw_path, headers, sha256)
        end = time.monotonic() + PATIENCE_SECONDS
        pauses = islice(PAUSES.delays(), TRIES - 1)
        while True:
            answer = await self._once(url, request, content)
            if answer is not None and not answer.passing:
                return answer
            pause = next(pauses, None)
            if pause is None or time.monotonic() + pause > end:
                break
            await asyncio.sleep(pause)
        if answer is not None:
            _log.warning("s3_failed", status=answer.status, code=answer.code)
        raise FileStoreError

    async def _once(self, url: URL, request: Request, content: bytes) -> Answer | None:
        http = self._session()
        try:
            keys = await self._keys(http)
        except FileStoreError as error:
            if error.fault is not FileFault.UNREACHABLE:
                raise
            return None
        headers = signed(request, keys, self._region, self._now())
        try:
            async with http.request(
                request.method, url, headers=headers, data=io.BytesIO(content) if request.method == "PUT" else None,
                proxy=self._proxy, timeout=TIMES, allow_redirects=False,
            ) as response:  # fmt: skip
                return Answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return None
        except ValueError:  # settings that no request can hold: a line's end in a header, a host that is none
            raise FileStoreError(FileFault.REFUSED) from None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            connector = aiohttp.TCPConnector(keepalive_timeout=KEEP_IDLE_SECONDS)
            self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._http


def _expected(answer: Answer) -> bytes | None:
    """Return the content of a good answer, None where there is no such object; raises FileStoreError for the others."""
    if answer.status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        return answer.content
    if answer.code in NO_BUCKET:
        raise FileStoreError(FileFault.BUCKET)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    # Keys, rights, a clock that is wrong, and (301, 400) another region than the bucket's.
    _log.warning("s3_refused", status=answer.status, code=answer.code)
    raise FileStoreError(FileFault.REFUSED)
