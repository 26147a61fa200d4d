"""The keys that requests are signed with: those of the environment, or those that a role is lent for a while."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp

from channel_adapter.adapters.s3 import roles
from channel_adapter.adapters.s3.roles import Lent
from channel_adapter.adapters.s3.signature import Keys
from channel_adapter.app.ports import FileStoreError

EARLIER = timedelta(minutes=5)  # than they end; roles are lent keys for at least 15 minutes
AGAIN = timedelta(seconds=30)  # until the next try to renew keys that still serve
PATIENCE_SECONDS = 3.0  # of the request that tries it

KeySource = Callable[[aiohttp.ClientSession], Awaitable[Keys]]


def key_source(environ: Mapping[str, str], region: str, now: Callable[[], datetime]) -> KeySource:
    """Return what gives the keys to sign with; it raises FileStoreError where there are none.

    The names of the variables and their order are those of Amazon's tools. Files below ~/.aws are not read.
    """
    # What a file or `echo` gave often ends with a line's end, which no header may hold.
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    key_id, secret, token = (environ.get(name, "").strip() for name in names)
    if key_id and secret:
        return Given(Keys(key_id, secret, token or None))
    lend = partial(roles.of_machine, environ)
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
        lend = partial(roles.of_service_account, environ, region)
    elif environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        lend = partial(roles.of_container, environ)
    return Renewed(lend, now)


class Given:
    """Keys that stay."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def __call__(self, _: aiohttp.ClientSession) -> Keys:
        return self._keys


class Renewed:
    """Keys of a role, asked for again shortly before they end: by one request, while the others use those in hand."""

    def __init__(self, lend: Callable[[aiohttp.ClientSession], Awaitable[Lent]], now: Callable[[], datetime]) -> None:
        self._lend = lend
        self._now = now
        self._lent: Lent | None = None
        self._again = datetime.min.replace(tzinfo=UTC)
        self._asking = asyncio.Lock()  # held by none who has keys that serve

    async def __call__(self, http: aiohttp.ClientSession) -> Keys:
        lent = self._serving()
        if lent is None:
            async with self._asking:
                lent = self._serving() or await self._renewed(http)
        elif self._now() >= self._again:
            self._again = self._now() + AGAIN  # set first: nobody else asks meanwhile, nor soon after a failure
            with contextlib.suppress(FileStoreError, TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    _ = await self._renewed(http)
            return await self(http)  # the old keys may have ended meanwhile
        return lent.keys

    def _serving(self) -> Lent | None:
        return self._lent if self._lent is not None and self._now() < self._lent.until else None

    async def _renewed(self, http: aiohttp.ClientSession) -> Lent:
        self._lent = lent = await self._lend(http)
        self._again = max(lent.until - EARLIER, self._now() + AGAIN)  # some lend the same keys until shortly before
        return lent
