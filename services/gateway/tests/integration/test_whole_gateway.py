"""The gateway as its process builds it: real NATS and Redis, its peers over gRPC."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import nats
import pytest

from contracts.events.v1 import events_pb2 as events
from fakes.gateway_door import settings_for_tests
from fakes.gateway_peers import Peers, running_peers
from gateway.adapters.live_events import subject_of
from gateway.domain.sessions import GuestId
from gateway.main import start
from kit.process import Life, StartError
from support.chat import WebChat
from support.ports import free_port


@dataclass(slots=True)
class Gateway:
    """A running gateway."""

    url: str
    life: Life
    peers: Peers


@asynccontextmanager
async def running_gateway(**settings: Any) -> AsyncIterator[Gateway]:
    async with running_peers() as peers:
        life = Life("gateway", 2)
        addresses = {"channel_adapter_address": peers.address, "coaching_address": peers.address}
        server = await start(settings_for_tests(**(addresses | settings)), life)
        try:
            yield Gateway(f"http://127.0.0.1:{server.port}", life, peers)
        finally:
            life.stop()
            assert await life.finish()


@pytest.fixture
async def gateway(nats_url: str, valkey_url: str) -> AsyncIterator[Gateway]:
    async with running_gateway(nats_url=nats_url, redis_url=valkey_url) as found:
        yield found


async def test_a_conversation_from_hello_to_answer(gateway: Gateway, nats_url: str) -> None:
    coaching = await nats.connect(nats_url)
    async with WebChat(gateway.url) as chat:
        sent = await chat.send("Hello")
        await chat.wait(lambda frame: frame["type"] == "accepted" and frame["id"] == sent, 5)
        subject = subject_of(GuestId(chat.guest_id))
        for event in (
            events.LiveEvent(turn_id="t", status=events.TurnStatus(state="queued", ahead=1)),
            events.LiveEvent(turn_id="t", delta=events.TextDelta(text="Good.", index=0)),
            events.LiveEvent(turn_id="t", message=events.FinalMessage(message_id="m", text="Good.", source="model")),
        ):
            await coaching.publish(subject, event.SerializeToString())
        answer = await chat.wait(lambda frame: frame["type"] == "message", 5)
    assert answer["text"] == "Good."
    assert [frame["type"] for frame in chat.frames] == ["ready", "accepted", "status", "delta", "message"]
    assert gateway.peers.inbound.texts() == ["Hello"]
    await coaching.close()


async def test_ready_names_every_dependency(gateway: Gateway) -> None:
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        answer = await client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"channel-adapter": "ok", "coaching": "ok", "nats": "ok"}


async def test_not_ready_without_its_peers(nats_url: str, valkey_url: str) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(nats_url=nats_url, redis_url=valkey_url, coaching_address=nowhere) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        answer = await client.get("/ready")
        health = await client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"]["channel-adapter"] == "ok"
    assert answer.json()["checks"]["coaching"] != "ok"
    assert health.status_code == 200


async def test_without_nats_it_says_what_to_do(valkey_url: str) -> None:
    with pytest.raises(StartError, match="NATS"):
        async with running_gateway(nats_url=f"nats://127.0.0.1:{free_port()}", redis_url=valkey_url):
            raise AssertionError


async def test_limits_hold_over_replicas(nats_url: str, valkey_url: str) -> None:
    options = {"nats_url": nats_url, "redis_url": valkey_url, "guest_messages_per_minute": 1, "guest_messages_burst": 2}
    async with running_gateway(**options) as one, running_gateway(**options) as two, httpx.AsyncClient() as client:
        token = (await client.post(f"{one.url}/v1/session")).json()["token"]
        statuses = [
            (
                await client.post(
                    f"{gateway.url}/v1/messages",
                    json={"id": str(uuid4()), "text": "x"},
                    headers={"Authorization": f"Bearer {token}"},
                )
            ).status_code
            for gateway in (one, two, one, two)
        ]
    assert statuses == [202, 202, 429, 429]


async def test_without_redis_it_serves_and_says_so(nats_url: str) -> None:
    async with (
        running_gateway(nats_url=nats_url, redis_url=f"redis://127.0.0.1:{free_port()}/0") as gateway,
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        assert (await client.post("/v1/session")).status_code == 200
        assert (await client.get("/ready")).status_code == 200
        text = (await client.get("/metrics")).text
    counts = [line for line in text.splitlines() if line.startswith("gateway_rate_limiter_fallbacks_total ")]
    assert float(counts[0].split()[1]) >= 1


async def test_telegram_comes_again_when_the_adapter_is_away(nats_url: str, valkey_url: str) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    async with (
        running_gateway(nats_url=nats_url, redis_url=valkey_url, channel_adapter_address=nowhere) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        answer = await client.post("/webhooks/telegram/1", content=b"{}")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_what_a_person_says_is_in_no_metric_and_no_log(
    gateway: Gateway, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    marker = "marker-4f1c"
    async with WebChat(gateway.url) as chat:
        sent = await chat.send(marker)
        await chat.wait(lambda frame: frame["type"] == "accepted" and frame["id"] == sent, 5)
        metrics = (await chat.http.get("/metrics")).text
        guest = chat.guest_id
    output = "".join(capfd.readouterr()) + caplog.text
    for private in (marker, guest, json.dumps(marker)):
        assert private not in metrics
        assert private not in output


async def test_a_stop_closes_the_door_within_seconds(gateway: Gateway) -> None:
    chat = WebChat(gateway.url)
    await chat.__aenter__()
    gateway.life.stop()
    async with asyncio.timeout(10):
        assert await gateway.life.finish()
    assert chat._socket is not None
    assert chat._socket.close_code == 1012
    await chat.__aexit__(None, None, None)
    gateway.life = Life("done", 1)
