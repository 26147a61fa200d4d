"""Find and stop a server that an earlier start left behind: one whose working folder is this part's folder.

Every part is launched with its own folder as working directory, so a pid that another program has taken since can never
be mistaken for the server. Who launched it is kept in `$DATA/run/<part>`: the launcher's pid and start time.
"""

import asyncio
import os
import signal
from pathlib import Path

import psutil

from platformctl.parts.base import PartError

STOP_SECONDS = 15.0
# After a server was killed, its forked workers notice within this time (PostgreSQL's watch a pipe to their parent).
WORKERS_SECONDS = 10.0
POLL_SECONDS = 0.05
# Start times come from the kernel's clock ticks; two readings of one process differ by less than this.
SAME_START_SECONDS = 1.0


def living(executable_name: str, folder: Path) -> list[psutil.Process]:
    """The processes of this program that run in this folder; those of other users are not seen by an ordinary user."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != executable_name:
            continue
        try:
            if Path(process.cwd()).samefile(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


async def claim(data: Path, name: str, executable_name: str, folder: Path) -> None:
    """Make sure that no server of an earlier start runs in `folder`, and note that this process launches the next one.

    Raises PartError when the one that runs belongs to a launcher that lives: another platform is using the data.
    """
    mark = data / "run" / name
    processes = living(executable_name, folder)
    launcher = _launcher(mark)
    pids = {process.pid for process in processes}
    servers = [process for process in processes if _parent_pid(process) not in pids]
    if servers and launcher and (launcher.pid != os.getpid() or _parent_pid(servers[0]) == os.getpid() != 1):
        raise PartError(
            f"{name} is already running in {folder} as process {servers[0].pid}, launched by process {launcher.pid}. "
            "Stop that platform first (`platformctl down`), or choose another data folder with DATA=."
        )
    await _end(name, executable_name, folder, servers)
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.write_text(f"{os.getpid()} {psutil.Process().create_time()}\n", encoding="ascii")


def _launcher(mark: Path) -> psutil.Process | None:
    """The process that launched the part last, when it still lives and its pid has not gone to another one."""
    try:
        pid, started = mark.read_text(encoding="ascii").split()
        process = psutil.Process(int(pid))
        return process if abs(process.create_time() - float(started)) < SAME_START_SECONDS else None
    except (FileNotFoundError, ValueError, psutil.Error):
        return None


def _parent_pid(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


async def _end(name: str, executable_name: str, folder: Path, servers: list[psutil.Process]) -> None:
    """Ask the servers to end (SIGINT: all three know it, PostgreSQL as a fast shutdown), then kill what stays."""
    for server in servers:
        _signal(server, signal.SIGINT)
    if await _gone(executable_name, folder, STOP_SECONDS):
        return
    for process in living(executable_name, folder):
        _signal(process, signal.SIGKILL)
    if not await _gone(executable_name, folder, WORKERS_SECONDS):
        raise PartError(f"{name} of an earlier start still runs in {folder} and does not end. Stop it by hand.")


async def _gone(executable_name: str, folder: Path, seconds: float) -> bool:
    for _ in range(int(seconds / POLL_SECONDS)):
        if not living(executable_name, folder):
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
