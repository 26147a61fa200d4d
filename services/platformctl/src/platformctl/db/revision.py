"""Which revision a database has, and waiting for one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from platformctl.db.connect import connected
from platformctl.db.errors import DatabaseError
from platformctl.db.history import History
from platformctl.db.words import said

POLL_SECONDS = 0.5
# Nobody who reads a pod's log should wonder for longer whether something still happens.
SAY_SECONDS = 10.0

Say = Callable[[str], None]
T = TypeVar("T")


def quiet(_line: str) -> None:
    """Say nothing."""


async def current_revision(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    """The database's revision, None when it has never been migrated."""
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return None
    found = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    return None if found is None else str(found)


async def wait_for(url: str, known: History, wanted: str, timeout_seconds: float, say: Say = quiet) -> str:
    """Wait until the database answers and has `wanted`; returns its revision. Raises DatabaseError at the deadline.

    A revision that this release does not know is a newer one, and counts as reached. What stands in the way is said
    when it changes, and again every ten seconds.
    """

    async def look() -> str:
        current = await revision_of(url)
        if current is None or not known.has_reached(current, wanted):
            raise DatabaseError(f"the database is at {current or 'no revision'}. Run `platformctl db migrate`.")
        return current

    return await _until(look, f"Not at revision {wanted}", timeout_seconds, say)


async def wait_until_answers(url: str, timeout_seconds: float, say: Say = quiet) -> str | None:
    """Wait until a query succeeds; returns the database's revision. Raises DatabaseError at the deadline."""
    return await _until(lambda: revision_of(url), "No answer", timeout_seconds, say)


async def _until(look: Callable[[], Awaitable[T]], lacking: str, timeout_seconds: float, say: Say) -> T:
    began = time.monotonic()
    told, told_at = "", began
    while True:
        try:
            return await look()
        except DatabaseError as error:
            state = str(error)
        now = time.monotonic()
        if now + POLL_SECONDS > began + timeout_seconds:
            raise DatabaseError(f"{lacking} within {timeout_seconds:g} s: {state}")
        if state != told or now - told_at > SAY_SECONDS:
            say(f"{lacking} yet ({now - began:.0f} s): {state}")
            told, told_at = state, now
        await asyncio.sleep(POLL_SECONDS)


async def revision_of(url: str) -> str | None:
    """The revision, over a connection of its own. Raises DatabaseError when the database does not answer."""
    async with connected(url) as connection:
        try:
            return await current_revision(connection)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # Between two statements of the first migration the table is there, and the grant on it is not.
            raise DatabaseError(f"The database does not say its revision ({said(error)}).") from None
