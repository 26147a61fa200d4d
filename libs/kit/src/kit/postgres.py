"""PostgreSQL: one pool per process, one transaction per message, always within one organisation."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kit.metrics import DB_CONNECTIONS
from kit.settings import DatabaseSettings

_SET_ORGANIZATION = text("SELECT set_config('app.organization_id', :organization_id, true)")


def async_url(url: str) -> str:
    """Return `url` for SQLAlchemy and asyncpg, whatever form of postgres:// it came in, with `sslmode` or `ssl`."""
    _, separator, rest = url.partition("://")
    # PostgreSQL's own word, which the driver does not take from SQLAlchemy.
    rest = re.sub(r"([?&])sslmode=", r"\1ssl=", rest)
    return f"postgresql+asyncpg://{rest}" if separator else url


def _checked_out(connection: Any, *_: Any) -> None:
    # The driver knows when the server has closed it: nothing is asked ahead of each transaction.
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    DB_CONNECTIONS.inc()


class Database:
    """The pool of one service, under that service's own role."""

    def __init__(self, settings: DatabaseSettings, name: str) -> None:
        self.engine: AsyncEngine = create_async_engine(
            async_url(settings.database_url.get_secret_value()),
            pool_size=settings.database_pool_size,
            max_overflow=settings.database_max_overflow,
            pool_timeout=settings.request_timeout,
            hide_parameters=True,  # values must not reach an error text
            connect_args={"server_settings": {"application_name": name}, "timeout": 10},
        )
        event.listen(self.engine.sync_engine, "checkout", _checked_out)
        event.listen(self.engine.sync_engine, "checkin", lambda *_: DB_CONNECTIONS.dec())

    @asynccontextmanager
    async def transaction(self, organization_id: str) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that sees one organisation's rows; commits at the end, rolls back on an error."""
        async with self.engine.begin() as connection:
            await connection.execute(_SET_ORGANIZATION, {"organization_id": organization_id})
            yield connection

    @asynccontextmanager
    async def across(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction of no organisation: row-level security shows it only what claim functions return."""
        async with self.engine.begin() as connection:
            yield connection

    async def check(self) -> None:
        """Raise where the database does not answer a query."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
