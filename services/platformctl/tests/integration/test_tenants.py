"""P5: with two organisations, raw SQL under each service's role sees and touches its own rows only.

The tables come from the catalogue, so a new one is held to this without anybody remembering to add it.
"""

import asyncpg
import pytest

from platformctl.db.rules import SCHEMAS
from support.catalog import insert, personal_tables
from support.database import DEFAULT_ORGANIZATION, SECOND_ORGANIZATION, TestDatabase

A, B = DEFAULT_ORGANIZATION, SECOND_ORGANIZATION
ROLES = sorted(SCHEMAS.values())
# Other statements that reach rows: each must stop at the policy like a plain SELECT.
WAYS_TO_READ = (
    "SELECT organization_id FROM {table}",
    "SELECT organization_id FROM {table} WHERE organization_id = '" + B + "'",
    "SELECT t.organization_id FROM {table} t WHERE t.organization_id IN (SELECT organization_id FROM {table})",
    "SELECT organization_id FROM {table} FOR UPDATE",
)

pytestmark = pytest.mark.guarantee("P5-tenants")


async def tables_with_rows_of_two(database: TestDatabase) -> list[str]:
    """Put one row of each organisation into every table with organization_id; returns the tables."""
    await database.add_organization(B)
    async with database.connect() as owner:
        tables = await personal_tables(owner)
        await owner.execute("SET session_replication_role = replica")  # made-up rows point at nothing
        for table in tables:
            for organization in (A, B):
                await insert(owner, table, organization)
    return tables


def own(role: str, tables: list[str]) -> list[str]:
    """The tables in the schema of the role's service."""
    return [table for table in tables if SCHEMAS[table.partition(".")[0]] == role]


async def found(connection: "asyncpg.Connection[asyncpg.Record]", query: str) -> set[str]:
    return {str(row[0]) for row in await connection.fetch(query)}


async def test_there_are_tables_to_hold_to_it(database: TestDatabase) -> None:
    tables = await tables_with_rows_of_two(database)
    assert {"coaching.people", "coaching.messages"} <= set(tables)
    async with database.connect() as owner:
        for table in tables:
            assert await found(owner, f"SELECT organization_id FROM {table}") == {A, B}, table


@pytest.mark.parametrize("role", ROLES)
async def test_a_service_reads_the_rows_of_its_transactions_organisation_only(
    database: TestDatabase, role: str
) -> None:
    tables = own(role, await tables_with_rows_of_two(database))
    async with database.connect(role, A) as service:
        for table in tables:
            for way in WAYS_TO_READ:
                assert await found(service, way.format(table=table)) <= {A}, (table, way)
            assert await found(service, f"SELECT organization_id FROM {table}") == {A}, table
            assert await service.fetchval(f"SELECT count(*) FROM {table}") == 1, table


@pytest.mark.parametrize("setting", [None, "", "00000000-0000-7000-8000-00000000ffff"])
@pytest.mark.parametrize("role", ROLES)
async def test_a_service_that_set_no_organisation_or_an_unknown_one_reads_nothing(
    database: TestDatabase, role: str, setting: str | None
) -> None:
    tables = own(role, await tables_with_rows_of_two(database))
    async with database.connect(role, setting) as service:
        for table in tables:
            assert await found(service, f"SELECT organization_id FROM {table}") == set(), table


@pytest.mark.parametrize("role", ROLES)
async def test_a_service_can_neither_change_nor_delete_what_is_anothers(database: TestDatabase, role: str) -> None:
    tables = own(role, await tables_with_rows_of_two(database))
    async with database.connect(role, A) as service:
        for table in tables:
            everything = f"UPDATE {table} SET organization_id = organization_id"
            assert await service.execute(everything) == "UPDATE 1", table
            assert await service.execute(f"{everything} WHERE organization_id = '{B}'") == "UPDATE 0", table
            assert await service.execute(f"DELETE FROM {table} WHERE organization_id = '{B}'") == "DELETE 0", table
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(f"TRUNCATE {table}")
    async with database.connect() as owner:
        for table in tables:
            assert await found(owner, f"SELECT organization_id FROM {table}") == {A, B}, table


@pytest.mark.parametrize("role", ROLES)
async def test_a_service_can_write_no_row_of_another_organisation(database: TestDatabase, role: str) -> None:
    tables = own(role, await tables_with_rows_of_two(database))
    async with database.connect() as owner:
        for table in tables:
            await owner.execute("SET session_replication_role = replica")
            await owner.execute(f"DELETE FROM {table} WHERE organization_id = '{B}'")
    async with database.connect(role, A) as service:
        for table in tables:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await insert(service, table, B)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await service.execute(f"UPDATE {table} SET organization_id = '{B}'")


@pytest.mark.parametrize("role", ROLES)
async def test_a_service_cannot_step_around_the_policy(database: TestDatabase, role: str) -> None:
    tables = own(role, await tables_with_rows_of_two(database))
    async with database.connect(role, A) as service:
        for escape in ("SET ROLE coaching_claims", "SET ROLE postgres", "SET session_replication_role = replica"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(escape)
        await service.execute("SET row_security = off")  # makes a filtered query an error, never an unfiltered one
        for table in tables:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await service.fetch(f"SELECT organization_id FROM {table}")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


@pytest.mark.parametrize("role", ROLES)
async def test_a_service_cannot_enter_the_schema_of_another(database: TestDatabase, role: str) -> None:
    tables = await tables_with_rows_of_two(database)
    async with database.connect(role, A) as service:
        for table in set(tables) - set(own(role, tables)):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.fetch(f"SELECT organization_id FROM {table}")


async def test_a_service_sees_its_own_organisation_and_cannot_change_it(database: TestDatabase) -> None:
    await database.add_organization(B)
    async with database.connect("coaching_service", A) as service:
        assert await found(service, "SELECT id FROM coaching.organizations") == {A}
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute("UPDATE coaching.organizations SET name = 'mine'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(f"DELETE FROM coaching.organizations WHERE id = '{B}'")


async def test_what_crosses_organisations_returns_ids_and_numbers_only(database: TestDatabase) -> None:
    async with database.connect() as owner:
        rows = await owner.fetch(
            "SELECT p.proname AS name, pg_get_function_result(p.oid) AS returned FROM pg_proc p"
            " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1) AND p.prosecdef",
            list(SCHEMAS),
        )
    harmless = {
        "SETOF uuid",
        "TABLE(organization_id uuid, id uuid, token bigint)",
        "TABLE(kind text, waiting bigint, oldest_seconds double precision)",
    }
    assert "claim" in {row["name"] for row in rows}
    assert {row["name"]: row["returned"] for row in rows if row["returned"] not in harmless} == {}
