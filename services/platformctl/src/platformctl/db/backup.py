"""A backup that counts: dumped, restored into a scratch database, compared with its source, and only then named."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from platformctl.db.archive import Archive, Backup, name_of, told_of
from platformctl.db.connect import CONNECT_SECONDS, connected, plain_url
from platformctl.db.contents import SESSION, Contents, contents, refuse_hidden_rows, sequences, wrong_sequences
from platformctl.db.errors import DatabaseError
from platformctl.db.programs import in_database, program, run_program
from platformctl.db.revision import Say, current_revision, quiet
from platformctl.db.settings import BackupSettings
from platformctl.db.words import said

# The letters "backups." as a 64-bit number: one backup of a database at a time.
LOCK_KEY: Final = int.from_bytes(b"backups.", "big")
POLL_SECONDS: Final = 0.5
# The first bytes of pg_dump's custom format.
MAGIC: Final = b"PGDMP"
SHOWN_DIFFERENCES: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What to back up and where to. `scratch_url`: a server on which a database may be made, the same when None."""

    url: str
    folder: Path
    keep: int | None = None
    scratch_url: str | None = None
    wait_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Done:
    """What was kept, what it holds, and which older ones left for it."""

    backup: Backup
    revision: str | None
    contents: Contents
    evicted: list[Path]


def plan_of(settings: BackupSettings, folder: Path, keep: int | None) -> Plan:
    """The plan that the settings make for this folder."""
    chosen, scratch = settings.backup_database_url or settings.database_url, settings.backup_scratch_url
    return Plan(chosen.get_secret_value(), folder, keep, scratch.get_secret_value() if scratch else None)


@dataclass(frozen=True, slots=True)
class Source:
    """What was dumped. A sequence has no past: where each was `before` and `after` the dump."""

    revision: str | None
    contents: Contents
    before: dict[str, int]
    after: dict[str, int]


async def back_up(plan: Plan, say: Say = quiet) -> Done:
    """Take one verified backup. Raises DatabaseError, and then every older backup is as it was."""
    archive = Archive(plan.folder)
    with _refusals():
        async with _locked(plan.url, plan.wait_seconds):
            unfinished = archive.begin()
            try:
                source = await _dump(plan.url, unfinished, say)
                await _verify(plan, unfinished, source, say)
                kept = _accept(archive, unfinished, source)
            finally:
                unfinished.unlink(missing_ok=True)
            evicted = archive.evict(plan.keep, kept) if plan.keep else []
    return Done(kept, source.revision, source.contents, evicted)


def _accept(archive: Archive, unfinished: Path, source: Source) -> Backup:
    at = datetime.now(UTC)
    told: dict[str, object] = {"revision": source.revision, "taken_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    name = name_of(at, source.revision, secrets.token_hex(3))
    return archive.accept(unfinished, name, told | {"tables": told_of(source.contents)})


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what the server, the way to it or the disk refuses into a DatabaseError."""
    try:
        yield
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseError(f"The backup cannot be taken: {said(error)}.") from None


@asynccontextmanager
async def _locked(url: str, wait_seconds: float) -> AsyncIterator[None]:
    """Hold the lock of backups. Polled, as a waiter inside of the server would hold a snapshot."""
    async with connected(url) as connection:
        deadline = time.monotonic() + wait_seconds
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY):
            if time.monotonic() >= deadline:
                raise DatabaseError(f"Another backup has been running for {wait_seconds:.0f} s.")
            await asyncio.sleep(POLL_SECONDS)
        yield


async def _dump(url: str, path: Path, say: Say) -> Source:
    """Dump one snapshot, and read from the same one what the dump must hold."""
    began = time.monotonic()
    async with _session(url) as connection:
        dumper = await program("pg_dump", connection.get_server_version().major)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await refuse_hidden_rows(connection)
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            options = ("--format=custom", f"--snapshot={snapshot}", "--no-subscriptions", f"--file={path}")
            before = await sequences(connection)
            await run_program(dumper, url, *options)
            source = Source(
                await current_revision(connection), await contents(connection), before, await sequences(connection)
            )
    size = _size(path)
    tables = source.contents.tables
    rows = sum(table.rows for table in tables.values())
    say(f"Dumped {rows} rows of {len(tables)} tables, {size} bytes ({time.monotonic() - began:.1f} s).")
    return source


def _size(path: Path) -> int:
    """The size of a dump. Raises DatabaseError when the file is none, whatever pg_dump's exit status said."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DatabaseError(f"pg_dump ended with 0 and left {size} bytes that are no dump.")
    return size


async def _verify(plan: Plan, dump: Path, source: Source, say: Say) -> None:
    """Restore the dump into a database of its own and compare. Raises DatabaseError that names what differs."""
    began = time.monotonic()
    async with _scratch(plan) as url:
        async with _session(url) as connection:
            restorer = await program("pg_restore", connection.get_server_version().major)
        await run_program(restorer, url, "--exit-on-error", "--single-transaction", str(dump))
        async with _session(url) as connection:
            differences = source.contents.differences(await contents(connection))
            differences += wrong_sequences(source.before, source.after, await sequences(connection))
    if differences:
        shown = "; ".join(differences[:SHOWN_DIFFERENCES])
        more = f"; and {len(differences) - SHOWN_DIFFERENCES} more" if len(differences) > SHOWN_DIFFERENCES else ""
        raise DatabaseError(f"The dump does not restore to what was dumped: {shown}{more}.")
    say(f"Restored it into a scratch database; every table is the same ({time.monotonic() - began:.1f} s).")


@asynccontextmanager
async def _scratch(plan: Plan) -> AsyncIterator[str]:
    """An empty database that is dropped at the end, beside those that killed runs of this database left."""
    server = plan.scratch_url or plan.url
    async with connected(plan.url) as source, connected(server) as connection:
        oid = await source.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        prefix = f"coaching_scratch_{oid}_"
        for row in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix):
            await connection.execute(f'DROP DATABASE IF EXISTS "{row[0]}" WITH (FORCE)')
        name = f"{prefix}{secrets.token_hex(4)}"
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            await connection.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")
        except asyncpg.PostgresError as error:
            raise DatabaseError(
                f"A scratch database to verify the backup in cannot be made: {said(error)}. Give the user CREATEDB, or "
                "name another server of the same version in BACKUP_SCRATCH_URL."
            ) from None
        try:
            yield in_database(server, name)
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # the next run sweeps it up
                await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@asynccontextmanager
async def _session(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection on which values have one text form."""
    connection = await asyncpg.connect(plain_url(url), timeout=CONNECT_SECONDS, server_settings=SESSION)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
