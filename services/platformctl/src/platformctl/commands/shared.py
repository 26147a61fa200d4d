"""What several commands need: the data folder, the running platform, and refusals in one form."""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from kit.settings import BaseServiceSettings, SettingsError, load
from platformctl.up.datadir import DataFolder
from platformctl.up.runfile import RunFile, read
from platformctl.up.settings import DataSettings

S = TypeVar("S", bound=BaseServiceSettings)
T = TypeVar("T")

EXIT_SETTINGS = 78
EXIT_STOPPED = 143

Data = Annotated[
    str | None,
    typer.Option("--data", metavar="FOLDER", help="Where the platform keeps everything. Default: DATA, or .data."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]


def fail(text: str, status: int = 1) -> typer.Exit:
    """Say on stderr what is wrong; raise what this returns to end with the status."""
    typer.echo(text, err=True)
    return typer.Exit(status)


def run(work: Coroutine[Any, Any, T], refusal: type[Exception] | tuple[type[Exception], ...]) -> T:
    """Run a command's work; what it cannot do, told by `refusal`, ends the program with status 1 and a sentence.

    SIGTERM, with which Kubernetes ends a pod, cancels the work: it tidies up, and the status is 143.
    """
    try:
        return asyncio.run(_until_stopped(work))
    except asyncio.CancelledError:
        raise fail("Stopped before the end.", EXIT_STOPPED) from None
    except refusal as error:
        raise fail(str(error)) from None


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def settings_of(kind: type[S]) -> S:
    """The settings; ends with 78 and a sentence when they are wrong."""
    try:
        return load(kind)
    except SettingsError as error:
        raise fail(f"settings: {error}", EXIT_SETTINGS) from None


def folder_of(data: str | None) -> DataFolder:
    """The data folder that an option or the settings name."""
    return DataFolder(Path(data).expanduser().absolute() if data else settings_of(DataSettings).data_folder)


def running(folder: DataFolder) -> RunFile:
    """The platform that runs on the folder; ends with 1 and a sentence when there is none."""
    found = read(folder.run_file)
    if found is None:
        raise fail(
            f"No platform runs on {folder.path}. Start one with `platformctl up --data {folder.path}`, "
            "or name another folder with --data."
        )
    return found


def pid_holding(folder: DataFolder) -> int | None:
    """The process that holds the folder, also while it is only starting."""
    found = read(folder.run_file)
    return found.pid if found else folder.holder()
