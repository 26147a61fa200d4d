"""The pool: one organisation a transaction, and no value in an error."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kit.metrics import DB_CONNECTIONS
from kit.postgres import Database, async_url
from kit.settings import DatabaseSettings
from support.database import TestDatabase

ONE = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
async def pool(database: TestDatabase) -> Database:
    return Database(DatabaseSettings(database_url=SecretStr(database.coaching_url)), "kit-test")


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+asyncpg://u@h/d"])
def test_any_form_of_address_names_the_driver(url: str) -> None:
    assert async_url(url) == "postgresql+asyncpg://u@h/d"


@pytest.mark.parametrize("option", ["sslmode=disable", "ssl=disable"])
async def test_how_to_encrypt_may_be_said_in_either_word(database: TestDatabase, option: str) -> None:
    settings = DatabaseSettings(database_url=SecretStr(f"{database.coaching_url}?{option}"))
    pool = Database(settings, "kit-test")
    await pool.check()
    await pool.close()


async def test_a_transaction_carries_its_organisation_and_nothing_afterwards(pool: Database) -> None:
    seen = text("SELECT current_setting('app.organization_id', true)")
    try:
        async with pool.transaction(ONE) as connection:
            assert await connection.scalar(seen) == ONE
        async with pool.across() as connection:
            assert not await connection.scalar(seen)
    finally:
        await pool.close()


async def test_connections_in_use_are_counted(pool: Database) -> None:
    before = DB_CONNECTIONS._value.get()
    try:
        async with pool.across():
            assert DB_CONNECTIONS._value.get() == before + 1
        assert DB_CONNECTIONS._value.get() == before
    finally:
        await pool.close()


@pytest.mark.parametrize(("kept", "above"), [(1, 0), (1, 1), (2, 1)])
async def test_pool_size_and_overflow_bound_the_connections_and_the_next_waits_for_request_timeout(
    database: TestDatabase, kept: int, above: int
) -> None:
    url = SecretStr(database.coaching_url)
    chosen = DatabaseSettings(
        database_url=url, database_pool_size=kept, database_max_overflow=above, request_timeout=0.2
    )
    pool = Database(chosen, "kit-test")
    try:
        async with AsyncExitStack() as held:
            for _ in range(kept + above):
                _ = await held.enter_async_context(pool.across())
            with pytest.raises(PoolTimeoutError):
                await pool.check()
        assert pool.engine.pool.checkedin() == kept  # type: ignore[attr-defined]  # it is a queue
    finally:
        await pool.close()


async def test_an_error_does_not_quote_the_values(pool: Database) -> None:
    try:
        with pytest.raises(DBAPIError) as failed:
            async with pool.across() as connection:
                await connection.execute(text("SELECT 1 / length(:said)"), {"said": ""})
        assert "parameters hidden" in str(failed.value)
        await pool.check()
    finally:
        await pool.close()


async def test_connections_that_the_server_has_closed_are_replaced_unnoticed(
    pool: Database, database: TestDatabase
) -> None:
    try:
        await asyncio.gather(*(pool.check() for _ in range(4)))
        async with database.connect() as owner:
            ended = await owner.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kit-test'"
            )
        assert ended
        # The driver hears of it when the event loop has read the end of the stream.
        await asyncio.sleep(0.5)
        await asyncio.gather(*(pool.check() for _ in range(4)))
    finally:
        await pool.close()
