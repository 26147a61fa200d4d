"""The real PostgreSQL, nats-server and valkey for tests, without an event loop of their own to keep."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from platformctl.parts.base import Launch, Part

T = TypeVar("T")

START_SECONDS = 60.0
POLL_SECONDS = 0.05


def in_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end from code that may stand inside a running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def spawn(launch: Launch) -> "subprocess.Popen[bytes]":
    """Start a part's process in a session of its own, its output in its log file."""
    launch.log_path.parent.mkdir(parents=True, exist_ok=True)
    account = launch.account
    with launch.log_path.open("ab") as log:
        return subprocess.Popen(
            launch.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=launch.cwd,
            env={"PATH": os.defpath, **launch.environment},
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


@contextmanager
def running(part: Part) -> Iterator[Part]:
    """Prepare and start a part, wait until it answers, and stop it at the end."""
    in_thread(part.prepare)
    launch = part.launch()
    process = spawn(launch)
    try:
        _await_ready(part, process, launch)
        yield part
    finally:
        process.send_signal(launch.stop_signal)
        try:
            process.wait(launch.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(part: Part, process: "subprocess.Popen[bytes]", launch: Launch) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if in_thread(part.ready):
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"{part.name} did not start:\n{launch.log_path.read_text(errors='replace')[-3000:]}")
