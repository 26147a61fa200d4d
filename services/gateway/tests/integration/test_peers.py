"""What the gateway needs behaves the same in memory and over gRPC and NATS."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import nats
import pytest

from contracts.events.v1 import events_pb2 as events
from fakes.gateway import FakeConversations, FakeInbound, FakeLiveEvents
from fakes.gateway_peers import running_peers
from gateway.adapters.channel_adapter_client import ChannelAdapterClient
from gateway.adapters.coaching_client import CoachingClient
from gateway.adapters.live_events import NatsLiveEvents, subject_of
from gateway.app.ports import Conversations, Inbound, LiveEvents
from gateway.domain.conversation import Delta, LiveEvent, Role, Status, StoredMessage
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer, RawRequest
from kit import grpc_client
from kit.clock import SystemClock
from support.ports import free_port

GUEST = GuestId("0195574e-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)
REQUEST = RawRequest(
    "telegram",
    "4711",
    "POST",
    (("x-secret", "Ünser"), ("x-twice", "1"), ("x-twice", "2")),
    "a=1",
    bytes(range(256)),
    GUEST,
)


@dataclass(slots=True)
class Ports:
    """The ports under test, and the fakes behind them."""

    inbound: Inbound
    conversations: Conversations
    received: FakeInbound
    kept: FakeConversations


@pytest.fixture(params=["memory", "grpc"])
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    if request.param == "memory":
        inbound, conversations = FakeInbound(), FakeConversations()
        yield Ports(inbound, conversations, inbound, conversations)
        return
    async with running_peers() as peers:
        channel = grpc_client.channel(peers.address)
        clients = (
            ChannelAdapterClient(channel, SystemClock()),
            CoachingClient(channel, "00000000-0000-7000-8000-000000000001"),
        )
        yield Ports(*clients, peers.inbound, peers.conversations)
        await channel.close(None)


async def test_a_request_arrives_as_it_was_sent(ports: Ports) -> None:
    ports.received.judge = lambda _: Answer(202, "application/json", b"\x00\xff", 9)
    assert await ports.inbound.receive(REQUEST, 5) == Answer(202, "application/json", b"\x00\xff", 9)
    assert ports.received.requests == [REQUEST]


@pytest.mark.parametrize("reason", [Reason.UNAVAILABLE, Reason.TIMED_OUT, Reason.INVALID])
async def test_failures_are_refusals(ports: Ports, reason: Reason) -> None:
    ports.received.broken = ports.kept.broken = reason
    for call in (ports.inbound.receive(REQUEST, 5), ports.conversations.history(GUEST, "", 5, 5)):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.reason is reason


async def test_nobody_waits_longer_than_the_deadline(ports: Ports) -> None:
    ports.received.seconds = ports.kept.seconds = 30
    for call in (ports.inbound.receive(REQUEST, 0.1), ports.conversations.history(GUEST, "", 5, 0.1)):
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(call, 20)
        assert refused.value.reason is Reason.TIMED_OUT


async def test_history_pages_backwards(ports: Ports) -> None:
    said = [ports.kept.add(GUEST, f"{number}\n👋", client_id=f"c{number}") for number in range(5)]
    said.append(ports.kept.add(GUEST, "so", Role.COACH, source="model", turn_id="t", created_at=NOW))
    ports.kept.open_turns.add(GUEST)
    newest = await ports.conversations.history(GUEST, "", 3, 5)
    assert list(newest.messages) == said[3:]
    assert (newest.has_more, newest.turn_open) == (True, True)
    oldest = await ports.conversations.history(GUEST, newest.messages[0].message_id, 3, 5)
    assert list(oldest.messages) == said[:3]
    assert not oldest.has_more


async def test_a_peer_that_is_not_there_is_unavailable() -> None:
    channel = grpc_client.channel(f"127.0.0.1:{free_port()}")
    with pytest.raises(Refused) as refused:
        await ChannelAdapterClient(channel, SystemClock()).receive(REQUEST, 5)
    assert refused.value.reason is Reason.UNAVAILABLE
    assert refused.value.retry_after > 0
    await channel.close(None)


Emit = Callable[[GuestId, LiveEvent], Awaitable[None]]


@pytest.fixture(params=["memory", "nats"])
async def live(request: pytest.FixtureRequest) -> AsyncIterator[tuple[LiveEvents, Emit]]:
    if request.param == "memory":
        fake = FakeLiveEvents()

        async def emit_in_memory(guest: GuestId, event: LiveEvent) -> None:
            fake.emit(guest, event)

        yield fake, emit_in_memory
        return
    publisher = await nats.connect(request.getfixturevalue("nats_url"))
    listener = await nats.connect(request.getfixturevalue("nats_url"))

    async def emit(guest: GuestId, event: LiveEvent) -> None:
        await publisher.publish(subject_of(guest), wire(event).SerializeToString())
        await publisher.flush()

    yield NatsLiveEvents(listener), emit
    await publisher.close()
    await listener.close()


def wire(event: LiveEvent) -> events.LiveEvent:
    if isinstance(event, Status):
        return events.LiveEvent(turn_id=event.turn_id, status=events.TurnStatus(state=event.state, ahead=event.ahead))
    if isinstance(event, Delta):
        return events.LiveEvent(turn_id=event.turn_id, delta=events.TextDelta(text=event.text, index=event.index))
    final = events.FinalMessage(message_id=event.message_id, text=event.text, source=event.source)
    final.created_at.FromDatetime(event.created_at)
    return events.LiveEvent(turn_id=event.turn_id, message=final)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  # what is waited for knows no event
            await asyncio.sleep(0.01)


async def test_events_of_a_guest_are_heard_in_order_and_no_others(live: tuple[LiveEvents, Emit]) -> None:
    listening, emit = live
    heard: list[LiveEvent] = []
    sent: list[LiveEvent] = [
        Status("t", "queued", 2), Delta("t", "Good.", 0), StoredMessage("m", Role.COACH, "Good.", NOW, "t", "model"),
    ]  # fmt: skip
    async with listening.listen(GUEST, heard.append):
        await emit(GuestId("0195574e-0000-7000-8000-000000000002"), Delta("t", "private", 0))
        for event in sent:
            await emit(GUEST, event)
        await until(lambda: len(heard) == len(sent))
    await emit(GUEST, Delta("t", "after", 1))
    await asyncio.sleep(0.05)
    assert heard == sent


async def test_several_sockets_hear_the_same(live: tuple[LiveEvents, Emit]) -> None:
    listening, emit = live
    one: list[LiveEvent] = []
    two: list[LiveEvent] = []
    async with listening.listen(GUEST, one.append):
        async with listening.listen(GUEST, two.append):
            await emit(GUEST, Status("t", "thinking", 0))
            await until(lambda: len(one) == len(two) == 1)
        await emit(GUEST, Status("t", "thinking", 0))
        await until(lambda: len(one) == 2)
    assert len(two) == 1


async def test_events_that_are_not_understood_are_left_out(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    heard: list[LiveEvent] = []
    async with NatsLiveEvents(client).listen(GUEST, heard.append):
        for data in (b"\xff\xff", b"", events.LiveEvent(turn_id="t").SerializeToString()):
            await client.publish(subject_of(GUEST), data)
        await client.publish(subject_of(GUEST), wire(Status("t", "thinking", 0)).SerializeToString())
        await until(lambda: bool(heard))
    assert heard == [Status("t", "thinking", 0)]
    await client.close()


async def test_without_nats_listening_is_refused(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    await client.close()
    with pytest.raises(Refused):
        async with NatsLiveEvents(client).listen(GUEST, lambda _: None):
            raise AssertionError


def test_a_subject_is_one_token_for_any_address() -> None:
    assert re.fullmatch(r"live\.web\.default\.[0-9a-f]+", subject_of(GuestId("a.b *>ü")))
