"""The process itself, with the real model and Chroma, and coaching as a fake behind gRPC."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from fakes.coaching_texts import FixedTexts, new_scope, remembered
from kit import grpc_client
from vector_search.domain.scope import Scope

MARKER = "zebra-marker-4711"
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass(slots=True)
class Service:
    process: asyncio.subprocess.Process
    grpc_port: int
    http_port: int
    log: Path

    async def ready(self) -> dict[str, str]:
        """Wait until it answers, and return what it says of its parts."""
        async with httpx.AsyncClient() as client, asyncio.timeout(START_SECONDS):
            while True:
                assert self.process.returncode is None, self.log.read_text()
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.http_port}/ready")
                except httpx.TransportError:
                    pass
                else:
                    checks: dict[str, str] = answer.json()["checks"]
                    if answer.is_success:
                        return checks
                await asyncio.sleep(0.1)

    async def whole(self) -> None:
        """Wait until the index holds what coaching has."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                if await self.ready() == {"store": "ok", "index": "ok"}:
                    return
                await asyncio.sleep(0.1)

    async def found(self, scope: Scope, query: str) -> list[str]:
        request = vector_pb2.SearchRequest(scope=vector_pb2.Scope(**as_dict(scope)), query=query, limit=1)
        async with grpc_client.channel(f"127.0.0.1:{self.grpc_port}") as channel:
            stub: vector_pb2_grpc.VectorSearchAsyncStub = vector_pb2_grpc.VectorSearchStub(channel)
            return [hit.text for hit in (await stub.Search(request, timeout=10)).hits]

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)


def as_dict(scope: Scope) -> dict[str, str]:
    return {"organization_id": scope.organization_id, "person_id": scope.person_id}


@pytest.fixture
async def service(tmp_path: Path, model_files: tuple[Path, Path], coaching: int) -> AsyncIterator[Service]:
    """One process; started by `start`, killed at the end if it still runs."""
    ports = free_port(), free_port()
    env = {
        "PATH": os.environ["PATH"],
        "LOG_LEVEL": "DEBUG",
        "VECTORS_DIR": str(tmp_path / "vectors"),
        "GRPC_PORT": str(ports[0]),
        "HTTP_PORT": str(ports[1]),
        "COACHING_ADDRESS": f"127.0.0.1:{coaching}",
        "EMBEDDER_MODEL_PATH": str(model_files[0]),
        "EMBEDDER_TOKENIZER_PATH": str(model_files[1]),
        "ORT_LOGGING_LEVEL": "0",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vector_search.main", stdout=output, stderr=output, env=env, cwd=tmp_path
        )
    yield Service(process, *ports, log)
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_it_fills_an_empty_index_from_coaching_answers_and_stops(service: Service, source: FixedTexts) -> None:
    scope = new_scope()
    source.fail = True  # coaching comes up later than we do
    source.say(scope, remembered("I love being outdoors in nature"), remembered("my tax return is late"))
    assert await service.ready() == {"store": "ok", "index": "rebuilding"}
    assert await service.found(scope, "hiking in the forest") == []
    source.fail = False
    await service.whole()
    assert await service.found(scope, "hiking in the forest") == ["I love being outdoors in nature"]
    assert await service.stop() == 0


@pytest.mark.guarantee("P10-privacy")
async def test_nothing_that_was_said_is_in_logs_or_metrics(service: Service, source: FixedTexts) -> None:
    scope = new_scope()
    source.say(scope, remembered(f"{MARKER} from coaching"))
    await service.ready()
    await service.whole()
    assert await service.found(scope, f"{MARKER}?") == [f"{MARKER} from coaching"]
    async with grpc_client.channel(f"127.0.0.1:{service.grpc_port}") as channel:
        stub: vector_pb2_grpc.VectorSearchAsyncStub = vector_pb2_grpc.VectorSearchStub(channel)
        item = vector_pb2.TextItem(text_id=MARKER, text=MARKER * 5, role=MARKER)
        person = vector_pb2.Scope(**as_dict(scope))
        for request in (
            vector_pb2.UpsertRequest(scope=person, items=[item]),
            vector_pb2.UpsertRequest(scope=vector_pb2.Scope(organization_id=MARKER), items=[item]),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Upsert(request, timeout=5)
            assert MARKER not in str(refused.value.details())
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"http://127.0.0.1:{service.http_port}/metrics")).text
    assert "vector_search_seconds_count" in metrics
    assert await service.stop() == 0
    log = service.log.read_text()
    assert MARKER not in log + metrics
    assert [line for line in log.splitlines() if not line.startswith("{")] == []
    assert "index_caught_up" in {json.loads(line)["event"] for line in log.splitlines()}
