"""Bring a database to the newest revision, or print the SQL that would."""

import asyncio
import io
from dataclasses import dataclass

import asyncpg
from alembic import command
from sqlalchemy.exc import DBAPIError

from platformctl.db.connect import connected
from platformctl.db.errors import DatabaseError
from platformctl.db.history import alembic_config, history
from platformctl.db.revision import current_revision
from platformctl.db.scram import verifier
from platformctl.db.settings import MigrationSettings
from platformctl.db.words import said

LOCK_NOT_AVAILABLE = "55P03"
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did: `before` None means an empty database; `ahead` that a newer release was here."""

    before: str | None
    after: str | None
    ahead: bool = False


def sql(settings: MigrationSettings) -> str:
    """The whole history as SQL for an empty database, without connecting to one."""
    output = io.StringIO()
    command.upgrade(alembic_config(settings, output), "head", sql=True)
    return output.getvalue()


async def migrate(settings: MigrationSettings) -> Migrated:
    """Apply what is missing, then set the given role passwords. Raises DatabaseError; can be repeated."""
    url = settings.database_url.get_secret_value()
    known = history(settings)
    async with connected(url) as connection:
        before = await current_revision(connection)
    if known.is_ahead(before):
        await set_passwords(url, settings.role_passwords())
        return Migrated(before, before, ahead=True)
    await _upgrade(settings, known.head)
    await set_passwords(url, settings.role_passwords())
    return Migrated(before, known.head)


async def _upgrade(settings: MigrationSettings, head: str) -> None:
    for attempt in range(1, settings.migration_attempts + 1):
        try:
            # env.py runs its own event loop, hence the thread.
            await asyncio.to_thread(command.upgrade, alembic_config(settings), head)
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise DatabaseError(f"The migration failed and was rolled back: {said(error.orig or error)}") from error
            if attempt == settings.migration_attempts:
                seconds = settings.migration_lock_timeout_seconds
                raise DatabaseError(
                    f"A table stayed locked through {attempt} attempts of {seconds:g} s. "
                    "Find the long transaction in pg_stat_activity, then start the migration again."
                ) from error
            await asyncio.sleep(RETRY_SECONDS)


async def set_passwords(url: str, passwords: dict[str, str]) -> None:
    """Give the login roles their passwords, as verifiers. Raises DatabaseError when this user may not."""
    if not passwords:
        return
    async with connected(url) as connection:
        for role, password in passwords.items():
            try:
                # Neither part can be a bound parameter of ALTER ROLE; both are of our own making.
                await connection.execute(f"ALTER ROLE {role} PASSWORD '{verifier(password)}'")
            except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedObjectError, ValueError) as error:
                raise DatabaseError(f"The password of {role} cannot be set: {error}.") from None
