"""Processes whose parent died: they become ours (Linux), so that none stays behind, not even as a zombie."""

import ctypes
import os
import sys
import time
from contextlib import suppress

import psutil

PR_SET_CHILD_SUBREAPER = 36
GONE_SECONDS = 5.0
POLL_SECONDS = 0.02


def adopt_orphans() -> None:
    """From now on what our children leave behind becomes our child, and not the system's."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Reaper:
    """Takes the exit status of adopted processes, which nobody else waits for.

    A child of our own is waited for elsewhere at once, so only what was dead in the pass before is taken here.
    """

    def __init__(self) -> None:
        self._dead_before: set[int] = set()

    def collect(self) -> None:
        """One pass; call it every few seconds."""
        dead = {process.pid for process in psutil.Process().children() if _is_zombie(process)}
        for pid in dead & self._dead_before:
            _take(pid)
        self._dead_before = dead


def end_all() -> list[int]:
    """Kill every descendant and wait for it; returns the ids of those that were still there. For the very end."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    deadline = time.monotonic() + GONE_SECONDS
    while time.monotonic() < deadline:
        for process in psutil.Process().children():
            if _is_zombie(process):
                _take(process.pid)
        if not any(process.is_running() for process in left):
            break
        time.sleep(POLL_SECONDS)
    return [process.pid for process in left]


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _take(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
