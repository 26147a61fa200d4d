"""Migrations on a real PostgreSQL: online, as SQL, twice, at once, and against locks."""

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.lock import LOCK_KEY, migration_lock
from platformctl.db.migrate import Migrated, migrate, sql
from platformctl.db.revision import wait_for
from platformctl.db.settings import MigrationSettings
from platformctl.db.verify import verify
from platformctl.parts.install import programs
from platformctl.parts.postgres import PostgresPart
from support.database import TestDatabase, administer, fresh_database, migration_settings, url_for
from support.platform import clean_environment
from support.ports import free_port
from support.servers import running

HEAD = history(MigrationSettings()).head


@pytest.fixture
def empty(postgres_url: str) -> Iterator[TestDatabase]:
    """A database without any migration."""
    with fresh_database(postgres_url, "template0") as found:
        yield found


@pytest.fixture
def empty_server(tmp_path: Path) -> Iterator[str]:
    """A server that has never seen the platform's roles; the superuser's URL."""
    with running(PostgresPart(tmp_path / "server", free_port(), durable=False)) as part:
        yield part.url


def client(program: str, url: str, *arguments: str, given: str = "") -> str:
    """Run one of PostgreSQL's own programs against a database and return what it prints."""
    done = subprocess.run(
        [str(programs(None) / "bin" / program), "--dbname", url, *arguments],
        input=given, capture_output=True, text=True, check=False, env={"PATH": os.defpath, "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def dump(url: str) -> str:
    """The whole schema with owners and rights, and the rows that migrations wrote."""
    text = client(
        "pg_dump", url, "--schema=coaching", "--schema=gateway", "--schema=channels", "--table=alembic_version"
    )
    # psql's guard against injected meta-commands carries a random word.
    return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def roles(url: str) -> str:
    text = client("pg_dumpall", url, "--roles-only", "--no-role-passwords")
    return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def history_in(folder: Path, *revisions: str) -> MigrationSettings:
    """Settings whose history is ours in env.py, and these bodies of upgrade() in versions."""
    source = MigrationSettings().migrations_dir
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((source / "env.py").read_text())
    before = None
    for number, body in enumerate(revisions, 1):
        text = f"""
            from alembic import op
            revision, down_revision, branch_labels, depends_on = "{number:04}", {before!r}, None, None

            def upgrade():
                {body}
        """
        (folder / "versions" / f"{number:04}.py").write_text(textwrap.dedent(text))
        before = f"{number:04}"
    return MigrationSettings(migrations_dir=folder)


def at(settings: MigrationSettings, url: str, **changes: object) -> MigrationSettings:
    return MigrationSettings.model_validate({**settings.model_dump(), "database_url": url, **changes})


async def in_process(settings: MigrationSettings) -> int:
    """Run `platformctl db migrate` in a process of its own; returns its exit status."""
    given = {"DATABASE_URL": settings.database_url.get_secret_value(), "MIGRATIONS_DIR": str(settings.migrations_dir)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from platformctl.commands.db import app; app()", "migrate"),
        env={**clean_environment(), **given},
    )
    return await asyncio.wait_for(process.wait(), 60)


async def test_an_empty_database_is_migrated_and_found_good(empty: TestDatabase) -> None:
    settings = migration_settings(empty.owner_url)
    assert await migrate(settings) == Migrated(before=None, after=HEAD)
    assert await verify(settings) == []


async def test_migrating_again_changes_nothing(database: TestDatabase) -> None:
    before = dump(database.owner_url)
    assert await migrate(migration_settings(database.owner_url)) == Migrated(before=HEAD, after=HEAD)
    assert dump(database.owner_url) == before


async def test_the_printed_sql_gives_an_empty_postgresql_the_same_schema(
    database: TestDatabase, postgres_url: str, empty_server: str
) -> None:
    client("psql", empty_server, "-v", "ON_ERROR_STOP=1", "-q", given=sql(MigrationSettings()))
    assert dump(empty_server) == dump(database.owner_url)
    assert roles(empty_server) == roles(postgres_url)


def test_printing_the_sql_needs_no_database() -> None:
    nowhere = MigrationSettings.model_validate({"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    assert sql(nowhere).count("-- Running upgrade") == len(history(nowhere).revisions)


async def test_an_owner_who_is_no_superuser_can_migrate(empty_server: str) -> None:
    # What managed databases give: a user who may create roles, and a database of their own.
    await administer(empty_server, "CREATE ROLE tenant LOGIN CREATEROLE PASSWORD 'tenant-test-password'")
    await administer(empty_server, "CREATE DATABASE managed OWNER tenant")
    url = url_for(empty_server, "managed").replace(
        empty_server.split("//")[1].split("@", maxsplit=1)[0], "tenant:tenant-test-password"
    )
    settings = migration_settings(url)
    await migrate(settings)
    assert await verify(settings) == []


async def test_the_roles_get_their_passwords_and_keep_them_when_none_is_given(database: TestDatabase) -> None:
    async with database.connect("coaching_service") as service:
        assert await service.fetchval("SELECT current_user") == "coaching_service"
    await migrate(MigrationSettings.model_validate({"database_url": database.owner_url}))
    async with database.connect("coaching_service") as service:
        assert await service.fetchval("SELECT 1") == 1


async def test_two_migrations_at_once_do_the_work_once(empty: TestDatabase) -> None:
    settings = migration_settings(empty.owner_url)
    assert set(await asyncio.gather(in_process(settings), in_process(settings))) == {0}
    assert await verify(settings) == []


async def test_a_migration_gives_up_waiting_for_another_with_a_sentence(empty: TestDatabase) -> None:
    settings = at(migration_settings(empty.owner_url), empty.owner_url, migration_wait_seconds=0.3)
    async with migration_lock(empty.owner_url, 1):
        with pytest.raises(DatabaseError, match="Another migration has been running"):
            await migrate(settings)
    assert (await migrate(settings)).after == HEAD


async def test_nobody_waits_inside_the_database_for_the_lock(empty: TestDatabase) -> None:
    settings = at(migration_settings(empty.owner_url), empty.owner_url, migration_wait_seconds=60)
    async with migration_lock(empty.owner_url, 1), empty.connect() as owner:
        waiting = asyncio.create_task(migrate(settings))
        await asyncio.sleep(0.5)
        blocked = await owner.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND objid = $1::bigint & 4294967295",
            LOCK_KEY,
        )
        assert blocked == 0
    assert (await waiting).after == HEAD


async def test_an_index_is_built_concurrently_while_another_migration_waits(
    empty: TestDatabase, tmp_path: Path
) -> None:
    made = history_in(
        tmp_path / "history",
        'op.execute("CREATE TABLE public.things (n int)")',
        "with op.get_context().autocommit_block():\n"
        '                    op.execute("CREATE INDEX CONCURRENTLY things_n ON public.things (n)")',
    )
    settings = at(made, empty.owner_url)
    assert set(await asyncio.gather(*(in_process(settings) for _ in range(3)))) == {0}
    async with empty.connect() as owner:
        assert await owner.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.things_n'::regclass")


async def test_a_locked_table_is_tried_again_until_it_is_free(empty: TestDatabase, tmp_path: Path) -> None:
    first = 'op.execute("CREATE TABLE public.things (n int)")'
    await migrate(at(history_in(tmp_path / "one", first), empty.owner_url))
    both = history_in(tmp_path / "two", first, 'op.execute("ALTER TABLE public.things ADD COLUMN m int")')
    settings = at(both, empty.owner_url, migration_lock_timeout_seconds=0.2)
    async with empty.connect() as owner:
        held = owner.transaction()
        await held.start()
        await owner.execute("SELECT * FROM public.things")
        migrating = asyncio.create_task(migrate(settings))
        await asyncio.sleep(0.8)
        await held.rollback()
    assert await migrating == Migrated(before="0001", after="0002")


async def test_a_table_that_stays_locked_is_given_up_with_a_sentence(empty: TestDatabase, tmp_path: Path) -> None:
    first = 'op.execute("CREATE TABLE public.things (n int)")'
    await migrate(at(history_in(tmp_path / "one", first), empty.owner_url))
    both = history_in(tmp_path / "two", first, 'op.execute("DROP TABLE public.things")')
    settings = at(both, empty.owner_url, migration_lock_timeout_seconds=0.1, migration_attempts=1)
    async with empty.connect() as owner, owner.transaction():
        await owner.execute("SELECT * FROM public.things")
        with pytest.raises(DatabaseError, match="A table stayed locked through 1 attempts"):
            await migrate(settings)


async def test_a_revision_that_fails_leaves_the_ones_before_it_and_nothing_of_itself(
    empty: TestDatabase, tmp_path: Path
) -> None:
    broken = history_in(
        tmp_path / "history",
        'op.execute("CREATE TABLE public.kept (n int)")',
        'op.execute("CREATE TABLE public.undone (n int)"); op.execute("SELECT 1 / 0")',
    )
    with pytest.raises(DatabaseError, match=r"failed and was rolled back: .*division by zero"):
        await migrate(at(broken, empty.owner_url))
    async with empty.connect() as owner:
        assert await owner.fetchval("SELECT version_num FROM public.alembic_version") == "0001"
        assert await owner.fetchval("SELECT to_regclass('public.kept')") == "kept"
        assert await owner.fetchval("SELECT to_regclass('public.undone')") is None


async def test_a_database_of_a_newer_release_is_left_alone_and_counts_as_ready(database: TestDatabase) -> None:
    async with database.connect() as owner:
        await owner.execute("UPDATE public.alembic_version SET version_num = '9999'")
    settings = migration_settings(database.owner_url)
    assert await migrate(settings) == Migrated(before="9999", after="9999", ahead=True)
    assert await wait_for(database.owner_url, history(settings), HEAD, 30) == "9999"
    assert await verify(settings) == []


@pytest.mark.parametrize("role", ["gateway_service", "coaching_service", "channels_service"])
async def test_each_service_can_wait_with_its_own_role(database: TestDatabase, role: str) -> None:
    assert await wait_for(database.url_of(role), history(MigrationSettings()), HEAD, 30) == HEAD


async def test_waiting_ends_when_the_migration_has_come(empty: TestDatabase) -> None:
    settings = migration_settings(empty.owner_url)
    waiting = asyncio.create_task(wait_for(empty.owner_url, history(settings), HEAD, 30))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await migrate(settings)
    assert await waiting == HEAD


async def test_waiting_in_vain_says_what_stands_in_the_way(empty: TestDatabase) -> None:
    known = history(MigrationSettings())
    with pytest.raises(DatabaseError, match=r"the database is at no revision\. Run `platformctl db migrate`"):
        await wait_for(empty.owner_url, known, HEAD, 0)
    with pytest.raises(DatabaseError, match=r"cannot be reached .* Check DATABASE_URL"):
        await wait_for("postgresql://someone:hush@127.0.0.1:1/none", known, HEAD, 0)


async def test_an_error_names_neither_the_url_nor_the_password(empty: TestDatabase) -> None:
    wrong = MigrationSettings.model_validate({"database_url": "postgresql://someone:hush@127.0.0.1:1/none"})
    with pytest.raises(DatabaseError) as caught:
        await migrate(wrong)
    assert "hush" not in str(caught.value)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(empty.coaching_url.replace("coaching-test-password", "wrong"))
