"""One migration at a time, over all machines that could start one."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from platformctl.db.connect import connected
from platformctl.db.errors import DatabaseError

# Any constant does, as long as every release uses the same: these are the letters "coaching" as a 64-bit number.
LOCK_KEY: Final = int.from_bytes(b"coaching", "big")
POLL_SECONDS: Final = 0.2


@asynccontextmanager
async def migration_lock(url: str, wait_seconds: float) -> AsyncIterator[None]:
    """Hold the migration lock, on an autocommit connection of its own. Raises DatabaseError after `wait_seconds`.

    Polls instead of waiting in pg_advisory_lock(): a waiter holds a snapshot, and CREATE INDEX CONCURRENTLY of the
    holder would wait for the waiter. The lock ends with the session, so a killed migration leaves none.
    """
    async with connected(url) as connection:
        deadline = time.monotonic() + wait_seconds
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY):
            if time.monotonic() >= deadline:
                raise DatabaseError(
                    f"Another migration has been running for {wait_seconds:.0f} s. Look at what it waits for "
                    "(pg_stat_activity), or allow more time with MIGRATION_WAIT_SECONDS."
                )
            await asyncio.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK_KEY)
