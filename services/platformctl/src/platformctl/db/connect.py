"""Plain connections for operator commands."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from platformctl.db.errors import DatabaseError
from platformctl.db.words import said

CONNECT_SECONDS = 10.0


def plain_url(url: str) -> str:
    """The URL as asyncpg and PostgreSQL's programs take it: without a driver, `sslmode` where SQLAlchemy says `ssl`."""
    _, separator, rest = url.partition("://")
    # They would ask the server for a setting called `ssl`, which it refuses.
    rest = re.sub(r"([?&])ssl=", r"\1sslmode=", rest)
    return f"postgresql://{rest}" if separator else url


@asynccontextmanager
async def connected(
    url: str, timeout_seconds: float = CONNECT_SECONDS
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """One autocommit connection. Raises DatabaseError, without the URL, when the database does not let us in."""
    try:
        connection = await asyncpg.connect(plain_url(url), timeout=timeout_seconds)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise DatabaseError(f"The database cannot be reached ({_reason(error)}). Check DATABASE_URL.") from None
    try:
        yield connection
    finally:
        await connection.close(timeout=timeout_seconds)


def _reason(error: Exception) -> str:
    """PostgreSQL's own words for a refusal; for the rest the kind of error, as its text may quote the URL."""
    if isinstance(error, asyncpg.PostgresError):
        return said(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
