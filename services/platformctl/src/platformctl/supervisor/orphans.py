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


class Orphans:
    """From open() to close() what our children leave behind becomes our child, and not the system's.

    Children that were there before belong to somebody else in this process and are never touched.
    """

    def __init__(self) -> None:
        self._others: set[int] = set()
        self._dead_before: set[int] = set()

    def open(self) -> None:
        """Adopt from now on."""
        self._others = {process.pid for process in psutil.Process().children()}
        _adopt(True)

    def collect(self) -> None:
        """Take the exit status of dead adopted processes; call it every few seconds.

        A child of our own is waited for elsewhere at once, so only what was dead in the pass before is taken here.
        """
        dead = {process.pid for process in self._ours() if _is_zombie(process)}
        for pid in dead & self._dead_before:
            _take(pid)
        self._dead_before = dead

    def close(self) -> list[int]:
        """Kill every descendant that is left and wait for it; returns their ids. For the very end."""
        left = [process for child in self._ours() for process in (child, *_descendants(child))]
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        deadline = time.monotonic() + GONE_SECONDS
        while (ours := self._ours()) and time.monotonic() < deadline:
            for process in ours:
                if _is_zombie(process):
                    _take(process.pid)
            time.sleep(POLL_SECONDS)
        _adopt(False)
        return [process.pid for process in left]

    def _ours(self) -> list[psutil.Process]:
        return [process for process in psutil.Process().children() if process.pid not in self._others]


def _adopt(wanted: bool) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _take(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
