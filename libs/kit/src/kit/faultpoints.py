"""Named points at which a test kills the process, as a power cut would; the FAULT_POINTS setting arms them."""

import os
import signal
from pathlib import Path

_armed: dict[str, Path | None] = {}


def arm(points: str) -> None:
    """Arm the points of a FAULT_POINTS setting: `name` kills each time, `name@FILE` once while FILE exists."""
    _armed.clear()
    for point in filter(None, (part.strip() for part in points.split(","))):
        name, _, file = point.partition("@")
        _armed[name] = Path(file) if file else None


def reached(name: str) -> None:
    """Kill this process with SIGKILL when `name` is armed; a file is removed first, so that the restart survives."""
    if name not in _armed:
        return
    file = _armed[name]
    if file is not None:
        try:
            file.unlink()
        except FileNotFoundError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
