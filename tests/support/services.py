"""One service as a real process: started with an environment, awaited until it is ready, stopped."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.platform import clean_environment
from support.ports import free_port

START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(slots=True)
class Service:
    """A running service: where it answers, and all that it has printed so far."""

    name: str
    http_port: int
    grpc_port: int
    log_path: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def address(self) -> str:
        """host:port of its gRPC server."""
        return f"127.0.0.1:{self.grpc_port}"

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    async def ready(self) -> bool:
        """Whether /ready says so now."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                return (await client.get(f"{self.url}/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    async def await_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until it is ready; raises AssertionError with the end of its log when it ends or takes longer."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            if await self.ready():
                return
            await asyncio.sleep(POLL_SECONDS)
        state = f"ended with {self.process.returncode}" if self.process.poll() is not None else "runs but is not ready"
        raise AssertionError(f"{self.name} {state}:\n{self.log()[-4000:]}")

    async def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Send a signal and wait for the end; returns the exit status (negative: killed by that signal)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, seconds)


def start_service(name: str, env: Mapping[str, str], folder: Path) -> Service:
    """Start `services/<name>` on free ports without waiting; its log goes to `folder`.

    It sees the given settings only: nothing that the caller's shell has set, and no `.env` of the checkout.
    """
    http_port, grpc_port = free_port(), free_port()
    ports = {"HTTP_PORT": str(http_port), "GRPC_PORT": str(grpc_port), **env}
    log_path = folder / f"{name}-{http_port}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{name.replace('-', '_')}.main"],
            env={**clean_environment(), **ports},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Service(name, int(ports["HTTP_PORT"]), int(ports["GRPC_PORT"]), log_path, process)


@asynccontextmanager
async def running_service(name: str, env: Mapping[str, str], folder: Path) -> AsyncIterator[Service]:
    """Start a service, wait until it is ready, and stop it; kills it when it does not stop."""
    service = start_service(name, env, folder)
    try:
        await service.await_ready()
        yield service
        await service.stop()
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()
