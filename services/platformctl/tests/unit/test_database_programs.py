"""How PostgreSQL's programs are found and told where to go, without a password on a command line."""

from pathlib import Path

import pytest

from platformctl.db.errors import DatabaseError
from platformctl.db.programs import in_database, program, run_program, without_password

URLS = [
    ("postgresql://anna:h%40sh@db:5432/c?sslmode=require", "postgresql://anna@db:5432/c?sslmode=require", "h@sh"),
    ("postgresql://anna@db/coaching", "postgresql://anna@db/coaching", ""),
    ("postgresql://db/coaching?user=anna&password=hush", "postgresql://db/coaching?user=anna", "hush"),
    ("postgresql://anna:hush@[::1]:5432/c", "postgresql://anna@[::1]:5432/c", "hush"),
]  # fmt: skip


def script(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("url", "address", "password"), URLS)
def test_the_password_is_taken_out_of_the_url(url: str, address: str, password: str) -> None:
    assert without_password(url) == (address, password)


def test_another_database_of_the_same_server() -> None:
    url = "postgresql+asyncpg://anna:hush@db/coaching?sslmode=require"
    assert in_database(url, "scratch") == "postgresql://anna:hush@db/scratch?sslmode=require"
    assert in_database(url.replace("sslmode", "ssl"), "scratch") == in_database(url, "scratch")


async def test_a_program_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = script(tmp_path / "bin", "pg_dump", 'echo "pg_dump (PostgreSQL) 15.4 (Debian)"')
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    assert await program("pg_dump", 15) == old
    assert (await program("pg_dump", 18)) != old


async def test_without_a_fitting_program_it_says_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = script(tmp_path / "bin", "pg_dump", 'echo "pg_dump (PostgreSQL) 15.4"')
    monkeypatch.setenv("PATH", str(old.parent), prepend=":")
    with pytest.raises(DatabaseError, match=r"The server is PostgreSQL 99, .*pg_dump \(15\)"):
        await program("pg_dump", 99)


async def test_what_it_is_told_is_in_the_environment_and_what_it_says_holds_no_value(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    path = script(
        tmp_path / "bin",
        "pg_restore",
        f'echo "$@ / $PGPASSWORD / $LC_ALL" >{seen}\n'
        "echo 'pg_restore: creating TABLE' >&2\n"
        "echo 'pg_restore: error: could not execute query: ERROR:  bad value: \"anna\"' >&2\n"
        "echo 'DETAIL: anna' >&2\n"
        "exit 3",
    )
    with pytest.raises(DatabaseError) as refusal:
        await run_program(path, "postgresql://anna:hush@db/c", "--exit-on-error")
    assert str(refusal.value) == "pg_restore ended with 3: could not execute query: ERROR:  bad value"
    assert seen.read_text() == "--dbname=postgresql://anna@db/c --exit-on-error / hush / C\n"
