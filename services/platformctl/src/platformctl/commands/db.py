"""`platformctl db`: migrate, wait, verify."""

import json
from typing import Annotated

import typer

from platformctl.commands.shared import Data, Json, fail, run, settings_of
from platformctl.commands.stores import store_settings
from platformctl.console import Console
from platformctl.db.errors import DatabaseError
from platformctl.db.history import history
from platformctl.db.migrate import Migrated, migrate, sql
from platformctl.db.revision import wait_for
from platformctl.db.settings import MigrationSettings
from platformctl.db.verify import verify

HELP = (
    "Migrate the database, wait for it, verify it. DATABASE_URL is the owner's, and reaches PostgreSQL itself; "
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
