"""What must be there before anything is started or downloaded."""

import ctypes
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

OPENMP = "libgomp.so.1"
# PostgreSQL's cluster and write-ahead log, streams, vectors and logs of a young platform.
DATA_BYTES = 600_000_000


class PreflightError(Exception):
    """The machine lacks something; the text names it and says how to get it."""


def can_load(library: str) -> bool:
    """Whether the system's loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_system_libraries(loads: Callable[[str], bool] = can_load, platform: str = sys.platform) -> None:
    """The embedded language model needs GNU OpenMP on Linux. Raises PreflightError."""
    if platform == "linux" and not loads(OPENMP):
        raise PreflightError(
            f"The language model needs the system library {OPENMP}, which is missing. Install the package libgomp1 "
            "(Debian, Ubuntu: sudo apt-get install libgomp1) or libgomp (Fedora: sudo dnf install libgomp; Alpine: "
            "apk add libgomp) and start again, or use another model server with LLM_PROVIDER."
        )


def check_room(folder: Path, needed: int = DATA_BYTES, free: Callable[[Path], int] | None = None) -> None:
    """The folder's disk must have room for the platform's data. Raises PreflightError."""
    available = free(folder) if free else shutil.disk_usage(folder).free
    if available < needed:
        raise PreflightError(
            f"The disk of {folder} has {available // 1_000_000} MB free; {needed // 1_000_000} MB are needed to start. "
            "Free some, or choose another folder with DATA=."
        )
