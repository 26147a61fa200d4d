"""`platformctl down`: stop a running platform."""

import os
import signal
import time
from typing import Annotated

import typer

from platformctl.commands.shared import Data, fail, folder_of, pid_holding
from platformctl.up.runfile import start_time

POLL_SECONDS = 0.1
SAY_SECONDS = 10.0


def down(
    data: Data = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the orderly stop.", min=0)] = 90.0,
    force: Annotated[bool, typer.Option("--force", help="Do not wait for work in progress.")] = False,
) -> None:
    """Stop the platform that runs on the data folder, and wait until it has ended.

    Ends with 0 also when none runs there, and with 1 when it does not end in time.
    """
    folder = folder_of(data)
    pid = pid_holding(folder)
    if pid is None:
        typer.echo(f"No platform runs on {folder.path}.")
        return
    born = start_time(pid)
    _send(pid)
    if force:
        time.sleep(1)
        _send(pid)
    typer.echo(f"Stopping the platform on {folder.path} (process {pid}).")
    began = said = time.monotonic()
    while start_time(pid) == born and born is not None:
        if time.monotonic() - began > timeout:
            raise fail(f"Process {pid} still runs after {timeout:.0f} s. Try again with --force.")
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            typer.echo(f"  still stopping ({said - began:.0f} s)")
        time.sleep(POLL_SECONDS)
    typer.echo("Stopped.")


def _send(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        raise fail(f"Process {pid} belongs to another user. Stop it as that user.") from None
