"""The keys that requests are signed with: those of the environment, or those that a role is lent for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import aiohttp

from channel_adapter.adapters.s3 import roles
from channel_adapter.adapters.s3.roles import Lent
from channel_adapter.adapters.s3.signature import Keys
from channel_adapter.app.ports import FileStoreError

EARLIER = timedelta(minutes=5)  # than they end; roles are lent keys for at least 15 minutes

KeySource = Callable[[aiohttp.ClientSession], Awaitable[Keys]]


def key_source(environ: Mapping[str, str], region: str, now: Callable[[], datetime]) -> KeySource:
    """Return what gives the keys to sign with; it raises FileStoreError where there are none.

    The names of the variables and their order are those of Amazon's tools. Files below ~/.aws are not read.
    """
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        token = environ.get("AWS_SESSION_TOKEN") or None
        return Given(Keys(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token))
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
    """Keys of a role, asked for again shortly before they end."""

    def __init__(self, lend: Callable[[aiohttp.ClientSession], Awaitable[Lent]], now: Callable[[], datetime]) -> None:
        self._lend = lend
        self._now = now
        self._lent: Lent | None = None
        self._asking = asyncio.Lock()

    async def __call__(self, http: aiohttp.ClientSession) -> Keys:
        async with self._asking:
            if self._lent is None or self._now() >= self._lent.until - EARLIER:
                self._lent = await self._renewed(http)
        return self._lent.keys

    async def _renewed(self, http: aiohttp.ClientSession) -> Lent:
        try:
            return await self._lend(http)
        except FileStoreError:
            if self._lent is None or self._now() >= self._lent.until:
                raise
            return self._lent
