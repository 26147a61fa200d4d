"""Which revision a database has, and waiting for one."""

import asyncio
import time

import asyncpg

from platformctl.db.connect import connected
from platformctl.db.errors import DatabaseError
from platformctl.db.history import History

POLL_SECONDS = 0.5


async def current_revision(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    """The database's revision, None when it has never been migrated."""
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return None
    found = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    return None if found is None else str(found)


async def wait_for(url: str, known: History, wanted: str, timeout_seconds: float) -> str:
    """Wait until the database answers and has `wanted`; returns its revision. Raises DatabaseError at the deadline.

    A revision that this release does not know is a newer one, and counts as reached.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        reached, state = await _look(url, known, wanted)
        if reached:
            return state
        if time.monotonic() + POLL_SECONDS > deadline:
            raise DatabaseError(f"Not at revision {wanted} within {timeout_seconds:g} s: {state}")
        await asyncio.sleep(POLL_SECONDS)


async def _look(url: str, known: History, wanted: str) -> tuple[bool, str]:
    """Whether the revision is reached; with it the revision, without it what stands in the way."""
    try:
        async with connected(url) as connection:
            current = await current_revision(connection)
    except DatabaseError as error:
        return False, str(error)
    if current is not None and known.has_reached(current, wanted):
        return True, current
    return False, f"the database is at {current or 'no revision'}. Run `platformctl db migrate`."
