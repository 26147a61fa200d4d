"""Named points at which a test kills a process, or makes it fail; the FAULT_POINTS setting arms them."""

import os
import signal
from pathlib import Path

_armed: dict[str, tuple[bool, Path | None]] = {}  # by name: whether it raises, and its file


class InjectedFaultError(RuntimeError):
    """What an armed point raises; its text quotes what the code was working on, as the errors of libraries do."""


def arm(points: str) -> None:
    """Arm the points of a FAULT_POINTS setting, separated by commas.

    `name` kills the process with SIGKILL, as a power cut would; `name!` raises InjectedFaultError instead; `name@FILE`
    and `name!@FILE` do so once, while FILE exists. A process id in FILE is killed in this one's place: a store, say.
    """
    _armed.clear()
    for point in filter(None, (part.strip() for part in points.split(","))):
        name, _, file = point.partition("@")
        _armed[name.removesuffix("!")] = name.endswith("!"), Path(file) if file else None


def reached(name: str, *working_on: object) -> None:
    """Do what `name` is armed with, or nothing. A point's file is removed first, so that the restart survives."""
    if name not in _armed:
        return
    raises, file = _armed[name]
    victim = ""
    if file is not None:
        try:
            victim = file.read_text()
            file.unlink()
        except FileNotFoundError:
            return
    if raises:
        raise InjectedFaultError(f"{name}: {working_on}")
    os.kill(int(victim or os.getpid()), signal.SIGKILL)
