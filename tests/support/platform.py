"""A whole platform as a newcomer starts it: `platformctl up` in a process of its own, every store on a free port."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

READY = "Ready: "
START_SECONDS = 240
STOP_SECONDS = 60


@dataclass(slots=True)
class Platform:
    """A running platform: where it answers, where it keeps everything, what it printed."""

    data: Path
    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def run_json(self) -> dict[str, Any]:
        """Return what `up` wrote for other commands to find it."""
        found: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return found

    def processes(self) -> list[psutil.Process]:
        """Return `platformctl up` and everything below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without any setting of the platform."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "VIRTUAL_ENV")
    prefixes = ("PIP_", "UV_")
    return {name: value for name, value in os.environ.items() if name in kept or name.startswith(prefixes)}


def platformctl(*arguments: str, env: Mapping[str, str] | None = None, timeout: float = 120) -> Any:
    """Run a command of the operator to its end; returns the completed process with its texts."""
    return subprocess.run(
        [str(Path(sys.executable).parent / "platformctl"), *arguments],
        env={**clean_environment(), **(env or {})},
        capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a zombie has ended and only waits to be reaped."""
    alive = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
        except psutil.NoSuchProcess:
            continue
    return alive


def none_left(processes: list[psutil.Process], seconds: float = 15) -> list[psutil.Process]:
    """Wait until none of `processes` runs; return those that do after all."""
    end = time.monotonic() + seconds
    while (alive := living(processes)) and time.monotonic() < end:
        time.sleep(0.1)
    return alive


@contextmanager
def running_platform(data: Path, port: int, env: Mapping[str, str], *arguments: str) -> Iterator[Platform]:
    """Start a platform in `data` on `port`, yield it when it says that it is ready, and stop it."""
    command = [str(Path(sys.executable).parent / "platformctl"), "up", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(
        [*command, *arguments], env={**clean_environment(), **env}, cwd=data.parent, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    platform = Platform(data, "", process)
    output: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, platform.lines, output), daemon=True)
    reader.start()
    seen: list[psutil.Process] = []
    try:
        platform.url = _await_ready(platform, output)
        seen = platform.processes()
        yield platform
    finally:
        if process.poll() is None:
            seen = [*seen, *platform.processes()]
            platform.stop()
        reader.join(5)
        for left in living(seen):
            left.kill()


def _read(process: subprocess.Popen[str], lines: list[str], output: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            output.put(lines[-1])
    output.put(None)


def _await_ready(platform: Platform, output: "queue.Queue[str | None]") -> str:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            line = output.get(timeout=1)
        except queue.Empty:
            continue
        if line is None:
            break
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
    told = "\n".join(platform.lines[-60:])
    raise AssertionError(f"the platform did not become ready; it said:\n{told}")
