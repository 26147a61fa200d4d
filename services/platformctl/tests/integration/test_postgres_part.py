"""PostgreSQL as an embedded part: its user, its folders, its data, its log."""

import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from platformctl.parts import install
from platformctl.parts.base import Account, PartError
from platformctl.parts.install import programs, reachable
from platformctl.parts.postgres import PostgresPart
from platformctl.parts.process import start
from support.ports import free_port

MARKER = "marker-that-a-person-wrote"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to run PostgreSQL as")


@asynccontextmanager
async def running(part: PostgresPart) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Start the part, connect to it, stop it."""
    started = await start(part)
    try:
        connection = await asyncpg.connect(part.url)
        try:
            yield connection
        finally:
            await connection.close()
    finally:
        await started.stop()


async def test_rows_that_were_committed_are_there_after_the_server_is_killed(tmp_path: Path) -> None:
    part = PostgresPart(tmp_path, free_port())
    started = await start(part)
    connection = await asyncpg.connect(part.url)
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (42)")
    os.kill(started.process.pid, signal.SIGKILL)
    await started.process.wait()
    connection.terminate()
    async with running(part) as again:
        assert await again.fetchval("SELECT n FROM kept") == 42


async def test_the_server_keeps_what_it_acknowledged_and_asks_for_a_password(tmp_path: Path) -> None:
    part = PostgresPart(tmp_path, free_port())
    async with running(part) as connection:
        shown = {name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "full_page_writes", "timezone")}
        assert shown == {"fsync": "on", "full_page_writes": "on", "timezone": "UTC"}
        stored = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
        assert stored.startswith("SCRAM-SHA-256$")
        wrong = part.url.replace(part.url.split(":")[2].split("@")[0], "wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)


@pytest.mark.guarantee("P10-privacy")
async def test_what_a_person_wrote_reaches_no_log_even_when_every_statement_fails(tmp_path: Path) -> None:
    part = PostgresPart(tmp_path, free_port())
    failing = (
        ("INSERT INTO words VALUES ($1)", asyncpg.UniqueViolationError),
        ("SELECT $1::text::int", asyncpg.InvalidTextRepresentationError),
        ("SELECT 1 FROM nowhere WHERE $1 = ''", asyncpg.UndefinedTableError),
    )
    async with running(part) as connection:
        await connection.execute("CREATE TABLE words (word text PRIMARY KEY)")
        await connection.execute("INSERT INTO words VALUES ($1)", MARKER)
        for statement, error in failing:
            with pytest.raises(error):
                await connection.execute(statement, MARKER)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(f"INSERT INTO words VALUES ('{MARKER}')")
    log = (tmp_path / "logs" / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert MARKER not in log


@pytest.mark.parametrize("found", ["17", "16", "19"])
async def test_data_of_another_major_version_is_refused_with_a_sentence(tmp_path: Path, found: str) -> None:
    part = PostgresPart(tmp_path, free_port())
    part.folder.mkdir(parents=True)
    (part.folder / "PG_VERSION").write_text(f"{found}\n")
    with pytest.raises(PartError, match=rf"written by PostgreSQL {found}; this platform runs PostgreSQL 18"):
        await part.prepare()
    assert sorted(path.name for path in part.folder.iterdir()) == ["PG_VERSION"]


async def test_a_stale_pid_file_that_names_a_living_process_does_not_stop_the_start(tmp_path: Path) -> None:
    part = PostgresPart(tmp_path, free_port(), durable=False)
    async with running(part):
        content = (part.folder / "postmaster.pid").read_text().splitlines()
    # After a power cut the pid in the file may belong to anything, here to a process of the very same user.
    content[0] = str(os.getpid() if os.geteuid() != 0 else _somebody_elses_pid())
    (part.folder / "postmaster.pid").write_text("\n".join(content) + "\n")
    async with running(part) as connection:
        assert await connection.fetchval("SELECT 1") == 1


def _somebody_elses_pid() -> int:
    return next(process.pid for process in psutil.process_iter() if process.pid != os.getpid())


async def test_an_initialisation_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    part = PostgresPart(tmp_path, free_port(), durable=False)
    making = part.folder.with_name("making")
    making.mkdir(parents=True)
    (making / "PG_VERSION").write_text("18\n")
    async with running(part) as connection:
        assert await connection.fetchval("SELECT current_database()") == "coaching"
    assert not making.exists()


async def test_the_initial_password_file_does_not_stay(tmp_path: Path) -> None:
    part = PostgresPart(tmp_path, free_port(), durable=False)
    await part.prepare()
    assert sorted(path.name for path in part.folder.parent.iterdir()) == ["data"]


@as_root
async def test_root_runs_it_as_another_user_below_a_folder_that_this_user_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    part = PostgresPart(closed / "data", free_port(), durable=False)
    started = await start(part)
    try:
        account = started.launched.account
        assert account is not None
        assert psutil.Process(started.process.pid).uids().real == account.uid != 0
        assert not reachable(part.folder, account)
        assert part.folder.stat().st_uid == account.uid
        assert closed.stat().st_mode & 0o777 == 0o700
        assert closed.stat().st_uid == 0
    finally:
        await started.stop()


@as_root
def test_programs_that_the_user_cannot_reach_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(65534, 65534)
    installed = programs(None)
    copies = tmp_path / "cache"
    monkeypatch.setattr(install, "COPIES", copies)
    monkeypatch.setattr(install, "reachable", lambda *_: False)
    started = time.monotonic()
    copied = programs(account)
    assert copied.is_relative_to(copies)
    assert (copied / "bin" / "postgres").read_bytes() == (installed / "bin" / "postgres").read_bytes()
    assert all(folder.stat().st_mode & 0o005 == 0o005 for folder in (copies, *list(copied.parents)[:2], copied))
    first_seconds = time.monotonic() - started
    assert programs(account) == copied
    assert first_seconds < 30


@as_root
def test_a_copy_that_cannot_be_made_is_reported_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setattr(install, "COPIES", blocked / "cache")
    monkeypatch.setattr(install, "reachable", lambda *_: False)
    with pytest.raises(PartError, match="Run as an ordinary user"):
        programs(Account(65534, 65534))
