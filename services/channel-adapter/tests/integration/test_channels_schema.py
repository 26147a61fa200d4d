"""Accounts, leases and file rows in PostgreSQL and in the tests' memory behave the same; organisations are apart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from channel_adapter.adapters.postgres import PostgresAccounts, PostgresFileRecords, PostgresLeases
from channel_adapter.app.ports import Accounts, AccountTakenError, FileRecords, Leases, RecordsUnavailableError
from channel_adapter.domain.messages import FileKind, KeptFile
from channel_adapter.settings import Settings
from fakes.channel_ports import ORGANIZATION, MemoryLeases, MemoryRecords, clock
from kit.postgres import Database
from support.database import SECOND_ORGANIZATION, TestDatabase

HOLD = 2.0
FILE = KeptFile(FileKind.PHOTO, "image/jpeg", 7, "ab" * 32)


@dataclass
class Records:
    accounts: Accounts
    files: FileRecords
    leases: Leases
    other_leases: Leases
    run_out: Callable[[], Awaitable[None]]


def open_database(url: str) -> Database:
    values: dict[str, Any] = {"database_url": SecretStr(url), "_env_file": None}
    return Database(Settings(**values), "test")


@pytest.fixture(params=["memory", "postgres"])
async def records(request: pytest.FixtureRequest) -> AsyncIterator[Records]:
    if request.param == "memory":
        time, memory = clock(), MemoryRecords()
        leases = MemoryLeases(time, HOLD)

        async def advance() -> None:
            time.advance(HOLD)

        yield Records(memory, memory, leases, MemoryLeases(time, HOLD, leases), advance)
        return
    found: TestDatabase = request.getfixturevalue("database")
    await found.add_organization()
    database = open_database(found.channels_url)
    yield Records(
        PostgresAccounts(database),
        PostgresFileRecords(database),
        PostgresLeases(database, "one", HOLD),
        PostgresLeases(database, "two", HOLD),
        lambda: asyncio.sleep(HOLD + 0.1),
    )
    await database.close()


async def test_an_account_belongs_to_one_organisation(records: Records) -> None:
    await records.accounts.register(ORGANIZATION, "telegram", "1000")
    await records.accounts.register(ORGANIZATION, "telegram", "1000")
    with pytest.raises(AccountTakenError):
        await records.accounts.register(SECOND_ORGANIZATION, "telegram", "1000")


async def test_one_holds_the_lease_until_it_runs_out(records: Records) -> None:
    lease = await records.leases.acquire(ORGANIZATION, "telegram", "1000")
    assert lease is not None
    assert (lease.token, lease.position) == (1, 0)
    assert await records.other_leases.acquire(ORGANIZATION, "telegram", "1000") is None
    assert await records.other_leases.acquire(ORGANIZATION, "telegram", "2000") is not None
    await records.run_out()
    taken = await records.other_leases.acquire(ORGANIZATION, "telegram", "1000")
    assert taken is not None
    assert taken.token == 2


async def test_what_an_earlier_owner_writes_is_refused(records: Records) -> None:
    old = await records.leases.acquire(ORGANIZATION, "telegram", "1000")
    assert old is not None
    assert await records.leases.advance(old, 41)
    await records.run_out()
    assert not await records.leases.renew(old)
    new = await records.other_leases.acquire(ORGANIZATION, "telegram", "1000")
    assert new is not None
    assert new.position == 41
    assert not await records.leases.advance(old, 40)
    await records.leases.release(old)
    assert await records.other_leases.renew(new)


async def test_a_released_lease_is_free_at_once(records: Records) -> None:
    lease = await records.leases.acquire(ORGANIZATION, "telegram", "1000")
    assert lease is not None
    await records.leases.release(lease)
    assert await records.other_leases.acquire(ORGANIZATION, "telegram", "1000") is not None


async def test_a_file_is_named_once(records: Records) -> None:
    await records.files.add(ORGANIZATION, "telegram", "1000", FILE)
    await records.files.add(ORGANIZATION, "telegram", "1000", FILE)


async def test_a_file_row_says_what_it_is(database: TestDatabase) -> None:
    pool = open_database(database.channels_url)
    await PostgresFileRecords(pool).add(ORGANIZATION, "telegram", "1000", FILE)
    await pool.close()
    async with database.connect("channels_service", ORGANIZATION) as connection:
        rows = await connection.fetch("SELECT * FROM channels.files")
    assert [(row["sha256"], row["size_bytes"], row["media_type"], row["channel"]) for row in rows] == [
        (FILE.sha256, 7, "image/jpeg", "telegram")
    ]


@pytest.mark.guarantee("P5-tenants")
@pytest.mark.parametrize("table", ["accounts", "polling_leases", "files"])
async def test_raw_sql_sees_the_rows_of_its_own_organisation_only(database: TestDatabase, table: str) -> None:
    await database.add_organization()
    pool = open_database(database.channels_url)
    for number, organization in enumerate((ORGANIZATION, SECOND_ORGANIZATION)):
        account = str(1000 + number)
        await PostgresAccounts(pool).register(organization, "telegram", account)
        await PostgresLeases(pool, "owner", HOLD).acquire(organization, "telegram", account)
        await PostgresFileRecords(pool).add(organization, "telegram", account, FILE)
    await pool.close()
    select = f"SELECT organization_id::text FROM channels.{table}"
    for organization in (ORGANIZATION, SECOND_ORGANIZATION):
        async with database.connect("channels_service", organization) as connection:
            assert [row[0] for row in await connection.fetch(select)] == [organization]
    async with database.connect("channels_service") as connection:
        assert await connection.fetch(select) == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT 1 FROM coaching.people")


async def test_a_database_that_is_away_is_an_error_of_ours(database: TestDatabase) -> None:
    pool = open_database(database.channels_url.replace("channels-test-password", "wrong"))
    with pytest.raises(RecordsUnavailableError):
        await PostgresAccounts(pool).register(ORGANIZATION, "telegram", "1000")
    await pool.close()
