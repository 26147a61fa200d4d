"""The gateway as operators meet it: a process with an environment."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import httpx
import pytest

from fakes.gateway_door import SECRET
from fakes.gateway_peers import Peers, running_peers
from support.chat import WebChat
from support.ports import free_port


async def launch(folder: Path, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.main", cwd=folder, stderr=PIPE, stdout=PIPE,
        env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip


@asynccontextmanager
async def started(
    folder: Path, nats_url: str, valkey_url: str, peers: Peers | None = None, /, **more: str
) -> AsyncIterator[tuple[Process, str]]:
    port = free_port()
    async with nullcontext(peers) if peers else running_peers() as found:
        process = await launch(
            folder, HTTP_PORT=str(port), NATS_URL=nats_url, REDIS_URL=valkey_url, SECRET_KEY=SECRET,
            CHANNEL_ADAPTER_ADDRESS=found.address, COACHING_ADDRESS=found.address, **more,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            await until_ready(process, url)
            yield process, url
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def until_ready(process: Process, url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(90):
        while process.returncode is None:
            try:
                if (await client.get("/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError((await process.communicate())[1].decode())


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"ENVIRONMENT": "production"}, "SECRET_KEY is missing"),
        ({"ENVIRONMENT": "staging", "SECRET_KEY": "a" * 64}, "SECRET_KEY is too weak"),
        ({"JWT_ALGORITHM": "none"}, "JWT_ALGORITHM"),
        ({"PUBLIC_URL": "coach.example.org"}, "PUBLIC_URL"),
        ({"TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES"),
        ({"WEB_DIR": "/nonexistent"}, "WEB_DIR"),
    ],
)
async def test_wrong_settings_are_named_and_end_it(tmp_path: Path, environment: dict[str, str], word: str) -> None:
    process = await launch(tmp_path, **environment)
    _, errors = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 78
    assert word in errors.decode()


async def test_it_starts_serves_and_stops_cleanly(tmp_path: Path, nats_url: str, valkey_url: str) -> None:
    more = {"STRIPE_SECRET_KEY": "sk_test_never_shown", "LOG_LEVEL": "INFO"}
    async with started(tmp_path, nats_url, valkey_url, **more) as (process, url), WebChat(url) as chat:
        await chat.send("hello")
        await chat.wait(lambda frame: frame["type"] == "accepted", 30)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 60)
        assert chat._socket is not None
        await asyncio.wait_for(chat._socket.wait_closed(), 30)
        assert chat._socket.close_code == 1012
    assert process.returncode == 0, errors.decode()
    text = errors.decode()
    assert '"setting": "STRIPE_SECRET_KEY"' in text
    assert "sk_test_never_shown" not in text
    assert "hello" not in text
    assert "Traceback" not in text


async def test_requests_under_way_are_answered_although_it_stops(
    tmp_path: Path, nats_url: str, valkey_url: str
) -> None:
    async with running_peers() as peers:
        peers.inbound.seconds = 1.0
        async with (
            started(tmp_path, nats_url, valkey_url, peers) as (process, url),
            httpx.AsyncClient() as client,
        ):
            hooks = [asyncio.create_task(client.post(f"{url}/webhooks/telegram/4711", content=b"1")) for _ in range(20)]
            while not peers.inbound.busy:  # noqa: ASYNC110  # the fake's own count
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*hooks)
            assert [answer.status_code for answer in answers] == [200] * 20
            assert {answer.headers.get("connection") for answer in answers} == {"close"}
            assert await asyncio.wait_for(process.wait(), 30) == 0
