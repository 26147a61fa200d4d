"""`platformctl db`: migrate, wait, verify, backup."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from platformctl.commands.shared import Data, Json, fail, run, settings_of
from platformctl.commands.stores import store_settings
from platformctl.console import Console
from platformctl.db.archive import Archive
from platformctl.db.backup import back_up, plan_of
from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.migrate import Migrated, migrate, sql
from platformctl.db.revision import wait_for
from platformctl.db.settings import BackupSettings, MigrationSettings
from platformctl.db.verify import verify

HELP = (
    "Migrate the database, wait for it, verify it, back it up. DATABASE_URL is the owner's, and reaches PostgreSQL "
    "itself; "
    "without it the platform that runs here is taken."
)

app = typer.Typer(help=HELP, no_args_is_help=True)


@app.command("migrate")
def migrate_command(
    print_sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL for an empty database, connect to nothing, change nothing.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Apply the migrations that are missing, and set the passwords of the services' roles.

    Only one migration runs at a time: a second one waits up to MIGRATION_WAIT_SECONDS. Repeating it changes nothing.
    GATEWAY_DATABASE_PASSWORD, COACHING_DATABASE_PASSWORD and CHANNELS_DATABASE_PASSWORD are given to the roles
    gateway_service, coaching_service and channels_service; a role whose password is not set keeps the one it has.
    """
    if print_sql:
        try:
            typer.echo(sql(settings_of(MigrationSettings)), nl=False)
        except DatabaseError as error:
            raise fail(str(error)) from None
        return
    done = run(migrate(store_settings(MigrationSettings, "database_url", data)), DatabaseError)
    if as_json:
        typer.echo(json.dumps({"before": done.before, "after": done.after, "ahead": done.ahead}))
    else:
        typer.echo(_told(done))


def _told(done: Migrated) -> str:
    if done.ahead:
        return (
            f"The database is at {done.after}, which a newer release made and this one works with; nothing was changed."
        )
    if done.before == done.after:
        return f"The database is at {done.after} already."
    return f"Migrated the database from {done.before or 'nothing'} to {done.after}."


@app.command("wait")
def wait_command(
    min_revision: Annotated[
        str | None, typer.Option(help="The revision to wait for. Default: the newest that this release knows.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.", min=0)] = 120.0,
    data: Data = None,
) -> None:
    """Wait until the database answers queries and has a revision; ends with 1, and says why, when it does not in time.

    Any role may ask: DATABASE_URL can be a service's own. A revision that this release does not know is a newer one and
    counts as reached, so that an older release starts on a newer schema.
    """
    settings = store_settings(MigrationSettings, "database_url", data)

    async def work() -> str:
        known = history(settings)
        url = settings.database_url.get_secret_value()
        return await wait_for(url, known, min_revision or known.head, timeout, Console().line)

    typer.echo(f"The database is at {run(work(), DatabaseError)}.")


@app.command("verify")
def verify_command(data: Data = None, as_json: Json = False) -> None:
    """Check revision, tables, roles, rights and that row-level security is forced wherever rows have an organisation.

    Prints every problem and ends with 1 when there is one.
    """
    problems = run(verify(store_settings(MigrationSettings, "database_url", data)), DatabaseError)
    if as_json:
        typer.echo(json.dumps({"ok": not problems, "problems": problems}))
    else:
        typer.echo("\n".join(f"- {problem}" for problem in problems) or "The database is as this release needs it.")
    if problems:
        raise typer.Exit(1)


@app.command("backup")
def backup_command(
    to: Annotated[Path, typer.Option(help="The folder of backups; made when it is missing.")],
    keep: Annotated[
        int | None, typer.Option(help="How many verified backups stay; the oldest leave. Default: all.", min=1)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would leave, and do nothing.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a backup that is known to restore: pg_dump's custom format, and a .json that says what is in it.

    It is dumped under a temporary name, restored into a scratch database of the same server, and every table compared
    with the database as it was at the moment of the dump; only then does it get its name, and only then do older ones
    leave. Ends with 1, and leaves every older backup alone, when any of this fails. It needs PostgreSQL's client
    programs, CREATEDB, a user who sees every row, and twice the room of the database while it works.
    """
    settings = store_settings(BackupSettings, "database_url", data)
    if dry_run:
        leaving = Archive(to).leaving(keep) if keep else []
        typer.echo(
            "\n".join([f"A backup would be taken in {to}.", *(f"{backup.dump} would leave." for backup in leaving)])
        )
        return
    console = Console(sys.stderr) if as_json else Console()
    done = run(back_up(plan_of(settings, to, keep), console.line), DatabaseError)
    if as_json:
        record = {"dump": str(done.backup.dump), "bytes": done.backup.size, "revision": done.revision}
        typer.echo(json.dumps(record | {"evicted": [str(path) for path in done.evicted]}))
        return
    typer.echo("\n".join([f"Kept {done.backup.dump}.", *(f"{path} left." for path in done.evicted)]))
