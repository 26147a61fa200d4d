"""Named points at which a test kills the process, or makes it fail; the FAULT_POINTS setting arms them."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path


class InjectedFaultError(RuntimeError):
    """What an armed point raises; its text quotes what the code was working on, as the errors of libraries do."""


@dataclass(frozen=True, slots=True)
class _Armed:
    raises: bool
    file: Path | None


_armed: dict[str, _Armed] = {}


def arm(points: str) -> None:
    """Arm the points of a FAULT_POINTS setting, separated by commas.

    `name` kills the process with SIGKILL, as a power cut would; `name!` raises InjectedFaultError instead;
    `name@FILE` and `name!@FILE` do so once, while FILE exists.
    """
    _armed.clear()
    for point in filter(None, (part.strip() for part in points.split(","))):
        name, _, file = point.partition("@")
        _armed[name.removesuffix("!")] = _Armed(raises=name.endswith("!"), file=Path(file) if file else None)


def reached(name: str, *working_on: object) -> None:
    """Do what `name` is armed with, or nothing. A point's file is removed first, so that the restart survives."""
    point = _armed.get(name)
    if point is None:
        return
    if point.file is not None:
        try:
            point.file.unlink()
        except FileNotFoundError:
            return
    if point.raises:
        raise InjectedFaultError(f"{name}: {working_on}")
    os.kill(os.getpid(), signal.SIGKILL)
