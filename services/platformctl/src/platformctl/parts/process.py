"""Start and stop the process of a part: own session, own log file, own user."""

import asyncio
import os
import signal
import time
from collections import deque
from dataclasses import dataclass

from platformctl.parts.base import Launch, Part, PartError

POLL_SECONDS = 0.05
KILL_SECONDS = 5.0
LOG_LINES_SHOWN = 5


async def spawn(launch: Launch) -> asyncio.subprocess.Process:
    """Start the process. Its output is appended to the launch's log file; Ctrl-C in the terminal does not reach it."""
    launch.log_path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(launch.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    account = launch.account
    try:
        return await asyncio.create_subprocess_exec(
            *launch.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=launch.cwd,
            env={"PATH": os.defpath, **launch.environment},
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        os.close(log)


async def stop(process: asyncio.subprocess.Process, launch: Launch) -> int:
    """Ask the process to end, kill it when it does not within its time; returns the exit status."""
    if process.returncode is None:
        process.send_signal(launch.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), launch.stop_seconds)
        except TimeoutError:
            _kill_session(process.pid)
    return await asyncio.wait_for(process.wait(), KILL_SECONDS)


def _kill_session(pid: int) -> None:
    """Kill the process and the workers that it forked: spawn() made it the leader of its own group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass(slots=True)
class Running:
    """A started part, for callers that run one without a supervisor (tests, tools)."""

    part: Part
    process: asyncio.subprocess.Process
    launched: Launch

    async def stop(self) -> int:
        return await stop(self.process, self.launched)


async def start(part: Part, timeout_seconds: float = 30.0) -> Running:
    """Prepare, spawn and wait until the part answers. Raises PartError with the end of its log when it does not."""
    await part.prepare()
    launched = part.launch()
    process = await spawn(launched)
    deadline = time.monotonic() + timeout_seconds
    while process.returncode is None and time.monotonic() < deadline:
        if await part.ready():
            return Running(part, process, launched)
        await asyncio.sleep(POLL_SECONDS)
    status = await stop(process, launched)
    raise PartError(f"{part.name} did not start (exit status {status}). The end of its log:\n{log_end(launched)}")


def log_end(launch: Launch, lines: int = LOG_LINES_SHOWN) -> str:
    """The last lines of the part's log, with the path to the rest."""
    try:
        with launch.log_path.open(encoding="utf-8", errors="replace") as file:
            last = "".join(deque(file, lines))
    except FileNotFoundError:
        last = ""
    return f"{last.rstrip() or '(empty)'}\n(the whole log: {launch.log_path})"
