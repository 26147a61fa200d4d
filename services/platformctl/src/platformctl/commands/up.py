"""`platformctl up`: everything on this machine."""

import asyncio
import os
from typing import Annotated

import typer

from kit.settings import SettingsError
from platformctl.commands.shared import EXIT_SETTINGS, Data, fail, settings_of
from platformctl.console import Console
from platformctl.db.settings import MigrationSettings
from platformctl.up.dotenv import load_dotenv
from platformctl.up.run import run
from platformctl.up.settings import UpSettings


def up(
    data: Data = None,
    port: Annotated[
        str | None,
        typer.Option("--port", metavar="PORT", help="Port of the web page. Default: PORT, or 8080 if free, or any."),
    ] = None,
    replicas: Annotated[
        str | None,
        typer.Option(
            "--replicas", metavar="N", help="Processes of each service but vector-search. Default: REPLICAS, or 1."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="default|small", help="Embedded language model. Default: MODEL, or default."),
    ] = None,
) -> None:
    """Start the whole platform on this machine and keep it running until Ctrl-C or SIGTERM.

    Starts PostgreSQL, NATS and Valkey (unless DATABASE_URL, NATS_URL or REDIS_URL name your own), brings the database
    and the streams up to date, fetches the models once, and starts every service. A part that dies is started again.
    With --replicas, several processes of each service answer side by side at the one address, and one that dies is not
    missed.
    When everything is ready, the last line is `Ready: http://127.0.0.1:PORT`. What cannot start says why; the status is
    then 1, or 78 when a setting is wrong. A second Ctrl-C stops at once.

    Every setting is read from the environment, then `.env.<environment>`, then `.env`.
    """
    for name, value in (("DATA", data), ("PORT", port), ("REPLICAS", replicas), ("MODEL", model)):
        if value:
            for same in [key for key in os.environ if key.upper() == name]:
                del os.environ[same]
            os.environ[name] = value
    try:
        load_dotenv()
    except SettingsError as error:
        raise fail(f"settings: {error}", EXIT_SETTINGS) from None
    settings = settings_of(UpSettings)
    settings_of(MigrationSettings)
    raise typer.Exit(asyncio.run(run(settings, os.environ, Console())))
