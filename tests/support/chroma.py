"""A real Chroma server, from the library's own program, that a test starts, stops, freezes and robs of its data."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from support.ports import free_port

START_SECONDS = 90
STOP_SECONDS = 30


class ChromaServer:
    """One server with one folder and one port of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        program = str(Path(sys.executable).parent / "chroma")
        address = ("--host", "127.0.0.1", "--port", str(self._port))
        with (self._folder / "log").open("ab") as output:
            self._process = subprocess.Popen(
                [program, "run", "--path", str(self._folder / "data"), *address],
                stdout=output, stderr=output, cwd=self._folder, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the Chroma server did not start")

    def stop(self) -> None:
        """Stop it, if it runs; it may be started again, with what it has on disk."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, until it is thawed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def lose_everything(self) -> None:
        """Take what it has on disk away; it must not run."""
        assert self._process is None
        shutil.rmtree(self._folder / "data")
