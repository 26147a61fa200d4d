"""`platformctl config`: whether the settings are right, before anything is started with them."""

import os
import re
from collections.abc import Mapping
from typing import Annotated

import typer

from kit.settings import BaseServiceSettings, SettingsError, load
from platformctl.cluster.settings import PrepareSettings
from platformctl.commands.shared import EXIT_SETTINGS, fail, run
from platformctl.db.errors import DatabaseError
from platformctl.db.revision import revision_of
from platformctl.db.settings import BackupSettings
from platformctl.streams.operations import StreamError, show_topology
from platformctl.streams.settings import StreamSettings
from platformctl.up.settings import UpSettings

# Problems begin with the name of a setting, and may hold a semicolon themselves.
NEXT_PROBLEM = re.compile(r"; (?=[A-Z][A-Z0-9_]+[: ])")

app = typer.Typer(help="The settings that platformctl reads.", no_args_is_help=True)

EVERYWHERE: tuple[type[BaseServiceSettings], ...] = (BackupSettings, StreamSettings)
# The migration job's are there in a cluster only, those of `up` on one machine only.
IN_A_CLUSTER: tuple[type[BaseServiceSettings], ...] = (PrepareSettings,)
ON_ONE_MACHINE: tuple[type[BaseServiceSettings], ...] = (UpSettings,)


@app.command("check")
def check(
    connect: Annotated[
        bool, typer.Option("--connect", help="Ask the database and NATS too, each once: they must answer.")
    ] = False,
) -> None:
    """Say what is wrong with the settings, each by its name and never its value; ends with 78 when something is.

    With --connect it ends with 1 when the database or NATS refuses what the settings say. What only a service reads,
    the service refuses itself when it starts.
    """
    problems = wrong_settings(os.environ)
    if problems:
        raise fail("\n".join(f"- {problem}" for problem in problems), EXIT_SETTINGS)
    if connect:
        run(_ask(load(BackupSettings), load(StreamSettings)), (DatabaseError, StreamError))
    typer.echo("The settings are right.")


def wrong_settings(environ: Mapping[str, str]) -> list[str]:
    """Every problem once."""
    in_a_cluster = any(name.upper() == "RELEASE" and value for name, value in environ.items())
    found: dict[str, None] = {}
    for kind in (*EVERYWHERE, *(IN_A_CLUSTER if in_a_cluster else ON_ONE_MACHINE)):
        try:
            load(kind)
        except SettingsError as error:
            found |= dict.fromkeys(NEXT_PROBLEM.split(str(error)))
    return list(found)


async def _ask(database: BackupSettings, streams: StreamSettings) -> None:
    await revision_of(database.database_url.get_secret_value())
    await show_topology(streams)
