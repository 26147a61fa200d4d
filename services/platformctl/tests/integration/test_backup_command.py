"""`platformctl db backup` as an operator types it, and the restore that docs/operations/backup.md describes."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from platformctl.db.archive import Archive
from platformctl.db.history import history
from platformctl.db.programs import program, run_program
from platformctl.db.settings import MigrationSettings
from platformctl.main import app
from platformctl.parts.postgres import PostgresPart
from support.database import TestDatabase, administer, url_for
from support.ports import free_port
from support.servers import running

HEAD = history(MigrationSettings()).head


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[str]:
    """A server that has never seen the platform's roles; the superuser's URL."""
    with running(PostgresPart(tmp_path / "server", free_port(), durable=False)) as part:
        yield part.url


async def platformctl(*arguments: str, **env: str) -> Result:
    """Run a command to its end; it has its own event loop, hence the thread."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=env)


async def test_it_says_what_it_kept_and_what_left(database: TestDatabase, tmp_path: Path) -> None:
    given = {"DATABASE_URL": database.owner_url}
    first = await platformctl("db", "backup", "--to", str(tmp_path), "--json", **given)
    told = json.loads(first.stdout)
    assert (first.exit_code, told["revision"], told["evicted"]) == (0, HEAD, [])
    assert Path(told["dump"]).stat().st_size == told["bytes"]
    foreseen = await platformctl("db", "backup", "--to", str(tmp_path), "--keep", "1", "--dry-run", **given)
    assert foreseen.output.splitlines() == [f"A backup would be taken in {tmp_path}.", f"{told['dump']} would leave."]
    second = await platformctl("db", "backup", "--to", str(tmp_path), "--keep", "1", **given)
    assert second.exit_code == 0
    assert f"{told['dump']} left." in second.output
    assert len(Archive(tmp_path).backups()) == 1


async def test_it_fails_loudly(database: TestDatabase, tmp_path: Path) -> None:
    done = await platformctl("db", "backup", "--to", str(tmp_path), DATABASE_URL=database.gateway_url)
    assert done.exit_code == 1
    assert "does not see every row" in done.stderr
    nowhere = "postgresql://someone:hush@127.0.0.1:1/none"
    done = await platformctl("db", "backup", "--to", str(tmp_path), DATABASE_URL=nowhere)
    assert (done.exit_code, "cannot be reached" in done.stderr, "hush" in done.output) == (1, True, False)


async def test_a_backup_can_be_restored_on_a_server_that_never_had_the_platform(
    database: TestDatabase, new_server: str, tmp_path: Path
) -> None:
    await database.add_organization()
    done = await platformctl("db", "backup", "--to", str(tmp_path / "b"), "--json", DATABASE_URL=database.owner_url)
    await administer(new_server, "CREATE DATABASE roles")
    assert (await platformctl("db", "migrate", DATABASE_URL=url_for(new_server, "roles"))).exit_code == 0
    await administer(new_server, "DROP DATABASE roles")
    await administer(new_server, "CREATE DATABASE coaching_restored")
    copy = url_for(new_server, "coaching_restored")
    dump = json.loads(done.stdout)["dump"]
    await run_program(await program("pg_restore", 18), copy, "--exit-on-error", "--single-transaction", dump)
    assert (await platformctl("db", "migrate", DATABASE_URL=copy)).output == f"The database is at {HEAD} already.\n"
    verified = await platformctl("db", "verify", DATABASE_URL=copy)
    assert (verified.exit_code, verified.output) == (0, "The database is as this release needs it.\n")
    async with TestDatabase(copy).connect() as owner:
        assert await owner.fetchval("SELECT count(*) FROM coaching.organizations") == 2
