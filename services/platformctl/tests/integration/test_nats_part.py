"""nats-server as an embedded part: what it stored stays, who has no password stays out."""

import gc
import os
import signal
from pathlib import Path

import httpx
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from contracts.topology import CONSUMERS, STREAMS
from platformctl.nats_once import connect_once
from platformctl.parts.nats import NatsPart
from platformctl.parts.process import start
from platformctl.parts.valkey import ValkeyPart
from platformctl.streams.applying import apply
from support.ports import free_port

MARKER = b"marker-that-a-person-wrote"
WAIT_SECONDS = 30.0  # a message that is synced to a busy disk takes its time


async def connected(part: NatsPart) -> tuple[Client, JetStreamContext]:
    client = await connect_once(part.url, WAIT_SECONDS, "tests")
    return client, client.jetstream(timeout=WAIT_SECONDS)


@pytest.mark.parametrize("sync_always", [False, True])
async def test_what_it_acknowledged_is_there_after_it_is_killed(tmp_path: Path, sync_always: bool) -> None:
    part = NatsPart(tmp_path, free_port(), sync_always=sync_always)
    running = await start(part)
    client, jetstream = await connected(part)
    await apply(jetstream, STREAMS, CONSUMERS)
    await jetstream.publish("inbound.web.default", MARKER)
    await client.close()
    os.kill(running.process.pid, signal.SIGKILL)
    await running.process.wait()

    running = await start(part)
    client, jetstream = await connected(part)
    found = await jetstream.get_msg("INBOUND", 1)
    await client.close()
    await running.stop()

    assert found.data == MARKER


@pytest.mark.guarantee("P10-privacy")
async def test_what_a_person_wrote_reaches_no_log(tmp_path: Path) -> None:
    part = NatsPart(tmp_path, free_port())
    running = await start(part)
    client, jetstream = await connected(part)
    await apply(jetstream, STREAMS, CONSUMERS)
    await jetstream.publish("inbound.web.default", MARKER)
    await client.publish("live.web.default.6d61726b6572", MARKER)
    await client.close()
    await running.stop()
    log = running.launched.log_path.read_bytes()
    assert b"Server is ready" in log
    assert MARKER not in log


async def test_nobody_comes_in_without_the_password(tmp_path: Path) -> None:
    running = await start(NatsPart(tmp_path, port := free_port()))
    try:
        with pytest.raises(NatsError):
            await connect_once(f"nats://127.0.0.1:{port}", 2, "stranger")
        gc.collect()  # a socket that was left open would be a warning, and so an error, here
    finally:
        await running.stop()


async def test_the_monitor_answers_where_it_was_asked_for(tmp_path: Path) -> None:
    running = await start(NatsPart(tmp_path, free_port(), monitor := free_port()))
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{monitor}/healthz")
    await running.stop()
    assert answer.status_code == 200


async def test_valkey_keeps_nothing_on_disk_and_asks_for_a_password(tmp_path: Path) -> None:
    part = ValkeyPart(tmp_path, free_port())
    running = await start(part)
    client = Redis.from_url(part.url)
    await client.set("counter", 1)
    await client.aclose()
    stranger = Redis(port=part.port)
    with pytest.raises(AuthenticationError):
        await stranger.get("counter")
    await stranger.aclose()
    await running.stop()
    assert [path.name for path in part.folder.iterdir()] == ["valkey.conf"]
