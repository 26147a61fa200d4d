"""Transactions on the driver: what fails in one leaves nothing, and spoils no connection for the next."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from coaching.adapters.postgres import Tables
from coaching.adapters.schema_check import SchemaCheck
from coaching.app.ports import StoreRefusedError, StoreUnavailableError
from coaching.settings import Settings
from kit.postgres import Database
from support.coaching import Stage
from support.database import SECOND_ORGANIZATION

PEOPLE = text("SELECT count(*) FROM coaching.people")
ADD = text(
    "INSERT INTO coaching.people (organization_id, id) VALUES (CAST(:organization_id AS uuid), gen_random_uuid())"
)
SLEEP = text("SELECT pg_sleep(30)")
END_OWN = text("SELECT pg_terminate_backend(pg_backend_pid())")
WHO = text("SELECT pg_backend_pid()")


@pytest.fixture
async def tables(around: Stage) -> AsyncIterator[Tables]:
    settings = Settings(database_url=around.database.coaching_url, database_pool_size=1, database_max_overflow=0)
    database = Database(settings, "test")
    yield Tables(database, SchemaCheck())
    await database.close()


async def count(tables: Tables, organization: str) -> int:
    async with tables.of(organization) as transaction:
        [row] = await transaction.rows(PEOPLE)
    return int(row["count"])


async def test_an_organisations_transaction_sees_its_rows_alone(around: Stage, tables: Tables) -> None:
    await around.database.add_organization()
    async with tables.of(around.organization) as transaction:
        await transaction.run(ADD)
    assert await count(tables, around.organization) == 1
    assert await count(tables, SECOND_ORGANIZATION) == 0
    async with tables.across() as transaction:
        [row] = await transaction.rows(PEOPLE)
    assert row["count"] == 0


async def test_what_fails_is_rolled_back_and_the_connection_goes_on(around: Stage, tables: Tables) -> None:
    async with tables.of(around.organization) as transaction:
        [before] = await transaction.rows(WHO)

    async def failing() -> None:
        async with tables.of(around.organization) as transaction:
            await transaction.run(ADD)
            raise LookupError

    with pytest.raises(LookupError):
        await failing()
    assert await count(tables, around.organization) == 0
    async with tables.of(around.organization) as transaction:
        [after] = await transaction.rows(WHO)
    assert before == after


async def test_one_that_is_cancelled_in_a_statement_leaves_the_pool_usable(around: Stage, tables: Tables) -> None:
    async def slow() -> None:
        async with tables.of(around.organization) as transaction:
            await transaction.run(ADD)
            await transaction.run(SLEEP)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(tables, around.organization) == 0


async def test_a_connection_that_ends_is_replaced(around: Stage, tables: Tables) -> None:
    async with tables.of(around.organization) as transaction:
        await transaction.run(ADD)

    async def cut_off() -> None:
        async with tables.of(around.organization) as transaction:
            await transaction.run(END_OWN)

    with pytest.raises(StoreUnavailableError):
        await cut_off()
    assert await count(tables, around.organization) == 1


async def test_an_organisation_that_is_no_id_is_refused_before_it_reaches_a_statement(tables: Tables) -> None:
    with pytest.raises(StoreRefusedError):
        await count(tables, "'; DROP TABLE coaching.people; --")
