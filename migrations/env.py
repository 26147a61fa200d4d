"""How Alembic runs this history: online over one direct connection, offline as SQL text. See README.md beside it."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from kit.postgres import async_url
from kit.settings import load
from platformctl.db.lock import migration_lock
from platformctl.db.settings import MigrationSettings

VERSION_SCHEMA = "public"


def settings() -> MigrationSettings:
    """The caller's settings, or those of the environment when Alembic's own command line is used."""
    given = context.config.attributes.get("settings")
    return given if isinstance(given, MigrationSettings) else load(MigrationSettings)


def print_sql() -> None:
    """Write the whole history as SQL to Alembic's output; no database is asked."""
    context.configure(
        dialect_name="postgresql",
        literal_binds=True,
        transaction_per_migration=True,
        version_table_schema=VERSION_SCHEMA,
    )
    context.get_context().impl.static_output(f"SET lock_timeout = '{settings().lock_timeout_milliseconds}ms';")
    with context.begin_transaction():
        context.run_migrations()


def migrate(connection: Connection) -> None:
    """Run what is missing, each revision in its own transaction.

    Nothing may be executed on this connection before configure(): SQLAlchemy would begin a transaction that Alembic
    takes for the caller's, and whose work is then rolled back without a word.
    """
    context.configure(connection=connection, transaction_per_migration=True, version_table_schema=VERSION_SCHEMA)
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    """Take the lock on a connection of its own, then migrate over an unpooled one."""
    chosen = settings()
    url = chosen.database_url.get_secret_value()
    engine = create_async_engine(
        async_url(url),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={
            "server_settings": {
                "application_name": "platformctl db migrate",
                "lock_timeout": str(chosen.lock_timeout_milliseconds),
            }
        },
    )
    async with migration_lock(url, chosen.migration_wait_seconds):
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
        await engine.dispose()


if context.is_offline_mode():
    print_sql()
else:
    asyncio.run(run_online())
