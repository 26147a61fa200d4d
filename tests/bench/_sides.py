"""The two sides of the bench as processes: the product's services, and the floor's roles."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench._world import SECRET, tokens
from support.database import TestDatabase
from support.platform import clean_environment
from support.ports import free_port
from support.services import Service, start_service

ROLES = Path(__file__).with_name("_floor_roles.py")
HOST = "127.0.0.1"
START_SECONDS = 30.0
# What a server of two cores with many bots would be given: the defaults are a small machine's.
SETTINGS = {
    "MAX_WORKERS": "128",
    "LOG_LEVEL": "WARNING",
    # Messages are answered at once: waiting for more of them is a choice of how to talk, not a cost.
    "TURN_SETTLE_SECONDS": "0",
    "TURNS_PER_MINUTE": "100000",
    "LLM_QUEUE_SIZE": "1024",
    "LLM_FREE_PROSE": "true",
    # Vectors are a model's work as much as answers are: the hashing embedder stands for it, on both sides nothing.
    "EMBEDDER": "hashing",
    "VECTOR_STORE": "memory",
}


@dataclass(frozen=True, slots=True)
class Stores:
    """Where one side keeps everything."""

    database: TestDatabase
    nats_url: str


@asynccontextmanager
async def product(stores: Stores, world_port: int, folder: Path, **settings: str) -> AsyncIterator[list[Service]]:
    """Start the five services and yield them, the gateway last; each must be ready."""
    world = f"http://{HOST}:{world_port}"
    ports = {name: free_port() for name in ("coaching", "channel-adapter", "llm-inference", "vector-search")}
    gateway_port = free_port()
    common = {
        "NATS_URL": stores.nats_url, "SECRET_KEY": "a-secret-key-of-the-bench-0123456789",
        "OPENAI_BASE_URL": f"{world}/v1", "LLM_PROVIDER": "openai_compatible",
        "TELEGRAM_BOT_TOKEN": ",".join(tokens()), "TELEGRAM_API_URL": world,
        "TELEGRAM_WEBHOOK_SECRET": SECRET, "UPLOADS_DIR": str(folder / "uploads"),
        **{f"{name.replace('-', '_').upper()}_ADDRESS": f"{HOST}:{port}" for name, port in ports.items()},
        **SETTINGS, **settings,
    }  # fmt: skip
    own = {
        "coaching": {"DATABASE_URL": stores.database.coaching_url},
        "channel-adapter": {
            "DATABASE_URL": stores.database.channels_url, "PUBLIC_URL": f"http://{HOST}:{gateway_port}",
        },
        "gateway": {"HTTP_PORT": str(gateway_port)},
    }  # fmt: skip
    services: list[Service] = []
    try:
        for name in (*ports, "gateway"):
            at = {"GRPC_PORT": str(ports[name])} if name in ports else {}
            services.append(start_service(name, {**common, **at, **own.get(name, {})}, folder))
        _ = await asyncio.gather(*(service.await_ready() for service in services))
        yield services
    finally:
        _ = await asyncio.gather(*(service.stop() for service in services))


@contextmanager
def roles(names: list[str], config: Mapping[str, Any], folder: Path) -> Iterator[dict[str, int]]:
    """Start roles of the floor; yields their ports when those that listen do."""
    ports = {name: free_port() for name in ("edge", "adapter", "model", "memory", "coach")}
    told = json.dumps({**config, "ports": ports})
    processes: list[subprocess.Popen[bytes]] = []
    environment = {**clean_environment(), "PYTHONPATH": str(ROLES.parent.parent)}
    log_path = folder / f"floor-{ports['edge']}.log"
    with log_path.open("wb") as log:
        try:
            for name in names:
                command = [sys.executable, str(ROLES), name, told]
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            yield ports
        except RuntimeError:
            sys.stderr.write(log_path.read_text()[-3000:])
            raise
        finally:
            for process in processes:
                process.kill()
                process.wait()


async def listening(ports: list[int]) -> None:
    """Wait until all of them are listened on."""
    end = time.monotonic() + START_SECONDS
    for port in ports:
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                if time.monotonic() > end:
                    raise RuntimeError("a role of the floor did not start") from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
