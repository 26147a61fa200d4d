"""`platformctl db verify` finds each thing that would let organisations see each other."""

import pytest

from platformctl.db.rules import RULES
from platformctl.db.verify import broken_rules, verify
from support.database import TestDatabase, migration_settings

FUNCTION = "CREATE FUNCTION coaching.all_people() RETURNS bigint LANGUAGE sql SECURITY DEFINER"

# statement, the rule that it breaks, the name that is said
BREAKS = [
    ("ALTER TABLE coaching.people NO FORCE ROW LEVEL SECURITY", "forced", "coaching.people"),
    ("ALTER TABLE coaching.people DISABLE ROW LEVEL SECURITY", "forced", "coaching.people"),
    ("CREATE TABLE channels.extra (organization_id uuid NOT NULL)", "forced", "channels.extra"),
    (
        "ALTER TABLE channels.polling_leases ALTER organization_id DROP NOT NULL",
        "organization_required",
        "channels.polling_leases",
    ),
    ("CREATE POLICY any_row ON coaching.people USING (true)", "policy_compares", "coaching.people (any_row)"),
    ("GRANT SELECT ON coaching.people TO gateway_service", "others_tables", "coaching.people, by gateway_service"),
    ("GRANT TRUNCATE ON coaching.people TO coaching_service", "no_truncate", "coaching.people, by coaching_service"),
    ("REVOKE SELECT ON coaching.people FROM coaching_service", "own_tables", "coaching.people, by coaching_service"),
    ("REVOKE USAGE ON SCHEMA channels FROM channels_service", "own_tables", "channels.files, by channels_service"),
    (f"{FUNCTION} AS 'SELECT 1::bigint'", "definer_is_closed", "coaching.all_people"),
    (f"{FUNCTION} SET search_path = pg_catalog AS 'SELECT 1::bigint'", "definer_owner", "coaching.all_people"),
]

# Roles belong to the whole server that the other tests use too: broken inside a transaction that is rolled back.
BROKEN_ROLES = [
    ("ALTER ROLE coaching_service BYPASSRLS", "role_is_ordinary", "coaching_service"),
    ("ALTER ROLE gateway_service SUPERUSER", "role_is_ordinary", "gateway_service"),
    ("ALTER ROLE coaching_claims LOGIN", "claims_cannot_log_in", "coaching_claims"),
    ("GRANT coaching_claims TO coaching_service", "role_is_no_claimant", "coaching_service"),
    ("ALTER ROLE channels_service RENAME TO channels_elsewhere", "role_exists", "channels_service"),
    ("ALTER SCHEMA channels RENAME TO elsewhere", "schema_exists", "channels"),
]


def sentence(key: str, name: str) -> str:
    return next(rule for rule in RULES if rule.key == key).problem.format(name=name)


@pytest.mark.guarantee("P5-tenants")
@pytest.mark.parametrize(("statement", "key", "name"), BREAKS)
async def test_what_is_broken_is_named(database: TestDatabase, statement: str, key: str, name: str) -> None:
    async with database.connect() as owner:
        assert await broken_rules(owner) == []
        await owner.execute(statement)
        assert sentence(key, name) in await broken_rules(owner)


@pytest.mark.guarantee("P5-tenants")
@pytest.mark.parametrize(("statement", "key", "name"), BROKEN_ROLES)
async def test_a_role_that_may_too_much_is_named(database: TestDatabase, statement: str, key: str, name: str) -> None:
    async with database.connect() as owner:
        broken = owner.transaction()
        await broken.start()
        try:
            await owner.execute(statement)
            assert sentence(key, name) in await broken_rules(owner)
        finally:
            await broken.rollback()


def test_every_rule_is_broken_by_some_statement_here() -> None:
    assert {rule.key for rule in RULES} == {key for _, key, _ in [*BREAKS, *BROKEN_ROLES]}


async def test_a_missing_table_is_named(database: TestDatabase) -> None:
    async with database.connect() as owner:
        await owner.execute("DROP TABLE channels.files")
    assert await verify(migration_settings(database.owner_url)) == ["table channels.files is missing"]


async def test_an_old_revision_is_named_with_what_to_do(database: TestDatabase) -> None:
    async with database.connect() as owner:
        await owner.execute("UPDATE public.alembic_version SET version_num = '0001'")
    problems = await verify(migration_settings(database.owner_url))
    assert problems[0].startswith("the database is at 0001, this release needs")
    assert "platformctl db migrate" in problems[0]
