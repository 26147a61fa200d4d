"""`platformctl db backup` on a real PostgreSQL: what it keeps restores to what was there; what does not is not kept."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from platformctl.db.archive import Archive
from platformctl.db.backup import LOCK_KEY, Done, Plan, back_up
from platformctl.db.contents import SESSION, Contents, contents, sequences, wrong_sequences
from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.programs import in_database, program, run_program
from platformctl.db.settings import MigrationSettings
from support.database import DEFAULT_ORGANIZATION, TestDatabase, administer, url_for
from support.platform import clean_environment

HEAD = history(MigrationSettings()).head
PEOPLE = 300


async def fill(database: TestDatabase) -> None:
    """Rows of two organisations, with what is hard to copy: nulls, quotes, other scripts, floats, bytes, a sequence."""
    await database.add_organization()
    async with database.connect() as owner:
        await owner.execute(
            "CREATE TABLE coaching.things (id bigserial PRIMARY KEY, organization_id uuid NOT NULL, word text,"
            " part float8, raw bytea, at timestamptz, pause interval, more jsonb,"
            " twice int GENERATED ALWAYS AS (1 + 1) STORED)"
        )
        await owner.execute(
            "INSERT INTO coaching.things (organization_id, word, part, raw, at, pause, more)"
            " SELECT $1::uuid, CASE n % 3 WHEN 0 THEN NULL ELSE 'q''\"\\ ü 🙂 ' || n END, n / 7.0,"
            " decode(md5(n::text), 'hex'),"
            " now() - n * interval '1 hour', n * interval '1 month 2 hours', jsonb_build_object('n', n)"
            " FROM generate_series(1, $2::int) AS n",
            DEFAULT_ORGANIZATION,
            PEOPLE,
        )
        await owner.execute("CREATE MATERIALIZED VIEW coaching.counted AS SELECT count(*) FROM coaching.things")


async def databases(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
    finally:
        await connection.close()


async def read(url: str) -> Contents:
    connection = await asyncpg.connect(url, server_settings=SESSION)
    try:
        return await contents(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def restored(done: Done, url: str) -> AsyncIterator[str]:
    """The kept dump in a database of its own, as an operator restores it."""
    name = f"restored_{os.urandom(4).hex()}"
    await administer(url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        await run_program(
            await program("pg_restore", 18), in_database(url, name), "--exit-on-error", str(done.backup.dump)
        )
        yield url_for(url, name)
    finally:
        await administer(url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.guarantee("K8S-backup")
async def test_a_backup_restores_to_everything_that_was_there(database: TestDatabase, tmp_path: Path) -> None:
    await fill(database)
    said: list[str] = []
    before = await databases(database.owner_url)
    done = await back_up(Plan(database.owner_url, tmp_path / "backups"), said.append)
    assert done.revision == HEAD
    assert done.contents.tables["coaching.things"].rows == PEOPLE
    async with restored(done, database.owner_url) as copy:
        assert (await read(database.owner_url)).differences(await read(copy)) == []
    assert await databases(database.owner_url) == before  # no scratch database is left
    assert [line.partition(" ")[0] for line in said] == ["Dumped", "Restored"]
    told = json.loads(done.backup.manifest.read_text())
    assert told["tables"]["coaching.things"] == {
        "rows": PEOPLE,
        "checksum": done.contents.tables["coaching.things"].checksum,
    }


async def test_people_may_write_while_it_is_taken(database: TestDatabase, tmp_path: Path) -> None:
    await fill(database)
    ended = asyncio.Event()

    async def write() -> int:
        """Change rows, add rows, delete rows, as fast as it goes."""
        rounds = 0
        async with database.connect() as owner:
            while not ended.is_set():
                await owner.execute("INSERT INTO coaching.things (organization_id) VALUES ($1)", DEFAULT_ORGANIZATION)
                await owner.execute("UPDATE coaching.things SET word = 'changed' WHERE id % 5 = $1", rounds % 5)
                await owner.execute("DELETE FROM coaching.things WHERE id = $1", rounds)
                rounds += 1
        return rounds

    writing = asyncio.create_task(write())
    try:
        done = await back_up(Plan(database.owner_url, tmp_path))
    finally:
        ended.set()
    assert await writing > 1
    assert done.backup.size > 0


# What a copy can lack: each statement is run on a copy and must be named.
DAMAGE = [
    ("DELETE FROM coaching.things WHERE id = 7", f"coaching.things has {PEOPLE - 1} rows instead of {PEOPLE}"),
    ("UPDATE coaching.things SET part = part + 1e-9 WHERE id = 7", "coaching.things has other values"),
    ("UPDATE coaching.things SET word = '' WHERE id = 3", "coaching.things has other values"),
    ("DROP TABLE channels.files", "channels.files is missing"),
    ("CREATE TABLE channels.files_2 ()", "channels.files_2 is new"),
    ("DROP MATERIALIZED VIEW coaching.counted", "missing: m coaching.counted"),
    ("ALTER TABLE coaching.people NO FORCE ROW LEVEL SECURITY", "missing: r coaching.people owned by"),
    ("DROP POLICY organization ON coaching.people", "missing: policy organization on coaching.people"),
    ("ALTER TABLE coaching.things DROP CONSTRAINT things_pkey", "missing: constraint things_pkey"),
    ("ALTER FUNCTION coaching.claim OWNER TO postgres", "missing: function of coaching_claims"),
    ("REVOKE SELECT ON coaching.people FROM coaching_service", "missing: grants on coaching.people"),
    ("ALTER TABLE coaching.things ALTER word SET NOT NULL", ""),
]  # fmt: skip


async def test_each_thing_that_a_copy_lacks_is_named(database: TestDatabase, tmp_path: Path) -> None:
    await fill(database)
    done = await back_up(Plan(database.owner_url, tmp_path))
    async with restored(done, database.owner_url) as copy:
        for statement, words in DAMAGE:
            connection = await asyncpg.connect(copy, server_settings=SESSION)
            damage = connection.transaction()
            await damage.start()
            try:
                await connection.execute("UPDATE coaching.things SET word = 'x' WHERE word IS NULL AND $1", not words)
                await connection.execute(statement)
                differences = done.contents.differences(await contents(connection))
                assert any(words in difference for difference in differences), (statement, differences)
            finally:
                await damage.rollback()
                await connection.close()


# pg_dump as it should not be. $1.. are its arguments; the file is in --file=.
BROKEN_DUMPS = [
    ("killed half way", 'head -c 2000 "$out" >"$out.half"; mv "$out.half" "$out"; kill -9 $$', "pg_dump ended with -9"),
    ("a full disk", "echo 'pg_dump: error: could not write: No space left on device' >&2; exit 1", "No space left"),
    ("nothing written, status 0", ': >"$out"; exit 0', "left 0 bytes that are no dump"),
    ("half written, status 0", 'head -c 20000 "$out" >"$out.half"; mv "$out.half" "$out"', "pg_restore ended with 1"),
    ("a table's rows forgotten, status 0", '"$real" "$@" --exclude-table-data=coaching.things', "things has 0 rows"),
    ("policies forgotten, status 0", '"$real" "$@" --no-policies', "missing: policy"),
]  # fmt: skip


@pytest.mark.guarantee("K8S-backup")
@pytest.mark.parametrize(("name", "body", "words"), BROKEN_DUMPS, ids=[case[0] for case in BROKEN_DUMPS])
async def test_a_dump_that_is_not_whole_is_not_kept_and_pushes_no_good_one_out(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str, words: str
) -> None:
    await fill(database)
    folder = tmp_path / "backups"
    good = await back_up(Plan(database.owner_url, folder, keep=1))
    before = await databases(database.owner_url)
    real = await program("pg_dump", 18)
    broken = tmp_path / "bin" / "pg_dump"
    broken.parent.mkdir()
    broken.write_text(
        f'#!/bin/sh\nreal={real}\n[ "$1" = --version ] && exec "$real" --version\n'
        f'for word; do case $word in --file=*) out=${{word#--file=}};; esac; done\n"$real" "$@" || exit\n{body}\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=":")
    with pytest.raises(DatabaseError, match=words):
        await back_up(Plan(database.owner_url, folder, keep=1))
    assert Archive(folder).backups() == [good.backup]
    assert len(list(folder.iterdir())) == 2
    assert await databases(database.owner_url) == before


async def test_a_sequence_that_would_give_out_a_number_again_is_named(database: TestDatabase, tmp_path: Path) -> None:
    await fill(database)
    done = await back_up(Plan(database.owner_url, tmp_path))
    async with database.connect() as owner, restored(done, database.owner_url) as copy:
        there = await sequences(owner)
        assert there["coaching.things_id_seq"] == PEOPLE
        connection = await asyncpg.connect(copy)
        assert wrong_sequences(there, there, await sequences(connection)) == []
        await connection.execute("SELECT setval('coaching.things_id_seq', 1, false)")
        assert wrong_sequences(there, there, await sequences(connection)) == [
            f"sequence coaching.things_id_seq stands at 0 instead of {PEOPLE} to {PEOPLE}"
        ]
        await connection.close()


async def test_a_user_who_does_not_see_every_row_is_refused(database: TestDatabase, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"coaching_service does not see every row.*BACKUP_DATABASE_URL"):
        await back_up(Plan(database.coaching_url, tmp_path))
    assert list(tmp_path.iterdir()) == []


async def test_a_user_who_may_make_no_database_is_told_what_to_do(database: TestDatabase, tmp_path: Path) -> None:
    user = f"reader_{database.name}"
    parts = urlsplit(database.owner_url)
    await administer(
        database.owner_url, f"CREATE ROLE {user} LOGIN BYPASSRLS PASSWORD 'read-only' IN ROLE pg_read_all_data"
    )
    try:
        url = f"postgresql://{user}:read-only@127.0.0.1:{parts.port}{parts.path}"
        with pytest.raises(DatabaseError, match="BACKUP_SCRATCH_URL"):
            await back_up(Plan(url, tmp_path))
        assert list(tmp_path.iterdir()) == []
        done = await back_up(Plan(url, tmp_path, scratch_url=database.owner_url))
        assert Archive(tmp_path).backups() == [done.backup]
    finally:
        await administer(database.owner_url, f"DROP ROLE {user}")


async def test_one_backup_of_a_database_runs_at_a_time(database: TestDatabase, tmp_path: Path) -> None:
    async with database.connect() as other:
        await other.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        with pytest.raises(DatabaseError, match="Another backup has been running for 0 s"):
            await back_up(Plan(database.owner_url, tmp_path, wait_seconds=0))


async def test_a_stopped_command_leaves_no_file_no_process_and_no_scratch_database(
    database: TestDatabase, tmp_path: Path
) -> None:
    """SIGTERM at random moments; then what a SIGKILL left is swept up by the next run."""
    await fill(database)
    before = await databases(database.owner_url)
    command = [sys.executable, "-m", "platformctl.main", "db", "backup", "--to", str(tmp_path)]
    for wait, how in ((0.0, signal.SIGTERM), (0.2, signal.SIGTERM), (0.4, signal.SIGKILL)):
        process = subprocess.Popen(
            command, env=clean_environment() | {"DATABASE_URL": database.owner_url}, stdout=subprocess.PIPE, text=True
        )
        await asyncio.to_thread(_until_file, tmp_path, process)
        await asyncio.sleep(wait)
        process.send_signal(how)
        await asyncio.to_thread(process.communicate)
        if how is signal.SIGTERM and process.returncode != 0:
            assert process.returncode == 143
            assert await databases(database.owner_url) == before
            assert not list(tmp_path.glob(".*"))
    done = await back_up(Plan(database.owner_url, tmp_path))
    assert done.backup in Archive(tmp_path).backups()
    assert await databases(database.owner_url) == before
    assert not list(tmp_path.glob(".*"))


def _until_file(folder: Path, process: "subprocess.Popen[str]") -> None:
    while process.poll() is None and not list(folder.glob(".unfinished-*")):
        time.sleep(0.01)
