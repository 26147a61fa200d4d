"""What `skaffold dev` starts services with: an edit answers within seconds, and what was under way is answered."""

import asyncio
import shutil
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import httpx
import psutil
import pytest

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from kit.grpc_client import channel
from support.platform import clean_environment, none_left
from support.ports import free_port
from support.tree import ROOT

RELOAD = ROOT / "deploy/docker/reload.py"
EDIT_TO_ANSWER_SECONDS = 10.0
SOMEBODY = "00000000-0000-7000-8000-000000000001"
SERVICE = """
import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kit import http, process
from kit.settings import BaseServiceSettings

WORD = "one"


async def say(request: Request) -> PlainTextResponse:
    await asyncio.sleep(float(request.query_params.get("seconds", 0)))
    return PlainTextResponse(WORD)


async def build(settings: BaseServiceSettings, life: process.Life) -> None:
    app = Starlette(routes=[Route("/say", say)])
    await http.HttpServer(app, settings.bind_host, settings.http_port, life).start()


process.run("small", BaseServiceSettings, build)
"""


def edit(file: Path, old: str, new: str) -> None:
    """Write as the synchronisation does: the whole file anew."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@asynccontextmanager
async def reloading(folder: Path, module: str, **environment: str) -> AsyncIterator[Process]:
    """Run a module of a folder under the reloader; nothing of it is left at the end."""
    command = ["env", f"PYTHONPATH={folder}", sys.executable, "-P", "-m", module]
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(RELOAD), str(folder), *command, env={**clean_environment(), **environment},
        stdout=PIPE, stderr=STDOUT, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    started = psutil.Process(process.pid)
    try:
        yield process
    finally:
        family = [started, *started.children(recursive=True)] if process.returncode is None else []
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert not none_left(family)


class Small:
    """The small service: its source, its port, what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "small.py"
        self.file.write_text(SERVICE)
        self.port = free_port()

    async def say(self, seconds: float = 0) -> str | None:
        """Return its word, None while it does not answer."""
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                url = f"http://127.0.0.1:{self.port}/say"
                return (await client.get(url, params={"seconds": seconds}, timeout=20)).text
        except httpx.TransportError:
            return None

    async def until_it_says(self, word: str | None, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while await self.say() != word:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path)


async def test_an_edit_answers_within_seconds_and_what_was_under_way_is_answered(small: Small) -> None:
    async with reloading(small.folder, "small", HTTP_PORT=str(small.port)):
        await small.until_it_says("one")
        under_way = asyncio.create_task(small.say(seconds=2))
        await asyncio.sleep(0.3)
        edit(small.file, '"one"', '"two"')
        await small.until_it_says("two", EDIT_TO_ANSWER_SECONDS)
        assert await under_way == "one"
        edit(small.file, '"two"', '"three"')
        await small.until_it_says("three", EDIT_TO_ANSWER_SECONDS)


async def test_a_mistake_ends_the_service_and_not_the_container(small: Small) -> None:
    async with reloading(small.folder, "small", HTTP_PORT=str(small.port)) as process:
        await small.until_it_says("one")
        edit(small.file, "WORD =", "WORD ==")
        await small.until_it_says(None)
        await asyncio.sleep(1)
        assert process.returncode is None
        edit(small.file, 'WORD == "one"', 'WORD = "two"')
        await small.until_it_says("two", EDIT_TO_ANSWER_SECONDS)


async def test_what_is_no_source_starts_nothing_anew(small: Small) -> None:
    async with reloading(small.folder, "small", HTTP_PORT=str(small.port)) as process:
        await small.until_it_says("one")
        [service] = psutil.Process(process.pid).children()
        (small.folder / "notes.txt").write_text("nothing")
        (small.folder / "__pycache__").mkdir(exist_ok=True)
        (small.folder / "__pycache__/small.pyc").write_bytes(b"nothing")
        await asyncio.sleep(1)
        assert service.is_running()
        assert await small.say() == "one"


async def test_a_stop_stops_the_service_and_says_how_it_ended(small: Small) -> None:
    async with reloading(small.folder, "small", HTTP_PORT=str(small.port)) as process:
        await small.until_it_says("one")
        under_way = asyncio.create_task(small.say(seconds=1))
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert await under_way == "one"
        assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_one_that_ends_before_an_edit_ends_the_container(small: Small) -> None:
    async with reloading(small.folder, "small", HTTP_PORT="none") as process:
        assert await asyncio.wait_for(process.wait(), 30) == 78  # wrong settings


async def test_a_line_of_a_service_answers_within_seconds(tmp_path: Path) -> None:
    for package in ("libs/kit/src", "libs/contracts/src", "services/vector-search/src"):
        shutil.copytree(ROOT / package, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    environment = {
        "EMBEDDER": "hashing", "VECTOR_STORE": "memory", "GRPC_PORT": str(port), "HTTP_PORT": str(free_port()),
        "COACHING_ADDRESS": "127.0.0.1:1",
    }  # fmt: skip
    line = "query must not be blank"
    async with reloading(tmp_path, "vector_search.main", **environment), channel(f"127.0.0.1:{port}") as opened:
        stub: vector_pb2_grpc.VectorSearchAsyncStub = vector_pb2_grpc.VectorSearchStub(opened)

        async def refusal() -> str:
            scope = vector_pb2.Scope(organization_id=SOMEBODY, person_id=SOMEBODY)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Search(vector_pb2.SearchRequest(scope=scope), timeout=20, wait_for_ready=True)
            return refused.value.details() or ""

        assert await refusal() == line
        begun = time.monotonic()
        edit(tmp_path / "vector_search/domain/limits.py", line, "say something")
        async with asyncio.timeout(EDIT_TO_ANSWER_SECONDS):
            while await refusal() != "say something":  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)
        assert time.monotonic() - begun < EDIT_TO_ANSWER_SECONDS
