"""Publishing, consuming and the outbox relay, on a real nats-server."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from contracts import topology
from kit.jetstream import Bus, Outgoing, connect
from kit.outbox import Relay
from kit.process import Life, StartError
from platformctl.parts.nats import NatsPart
from platformctl.streams.applying import apply
from support.ports import free_port
from support.servers import running

SUBJECT = "inbound.test.1"
FETCH_SECONDS = 2.0


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    life = Life("kit-test", drain_seconds=5)
    yield life
    life.stop()
    await life.finish()


@pytest.fixture
async def bus(nats_url: str, life: Life) -> Bus:
    return await connect(nats_url, "kit-test", life)


def listening_on(port: int) -> psutil.Process:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # one of another server's, that has ended meanwhile
            if any(at.laddr.port == port for at in child.net_connections()):
                return child
    raise AssertionError(f"nobody listens on {port}")


async def stored(bus: Bus) -> int:
    return (await bus.js.stream_info("INBOUND")).state.messages


async def test_a_window_is_stored_whole_and_named(bus: Bus) -> None:
    window = [Outgoing(SUBJECT, b"x", f"id-{number}") for number in range(600)]
    assert await bus.publish_window(window) == [message.msg_id for message in window]
    assert await stored(bus) == 600


async def test_after_a_quiet_time_no_message_waits_for_others(
    bus: Bus, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.consumer.FETCH_SECONDS", FETCH_SECONDS)
    consumer = await bus.consumer(topology.COACHING_INBOUND)
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def consume() -> None:
        async for batch in consumer.batches(256, life.stopping):
            for message in batch:
                await message.ack()
                heard.put_nowait(message.data)

    _ = life.background("consume", consume())
    for number in range(5):
        # Requests end while nothing comes: that of one fetch may still be told of when the next has begun.
        await asyncio.sleep(FETCH_SECONDS * 1.2)
        for word in ("first", "second", "third"):
            await bus.publish(Outgoing(SUBJECT, word.encode(), f"{number}-{word}"))
            assert await asyncio.wait_for(heard.get(), FETCH_SECONDS * 0.7) == word.encode()


async def test_a_repeated_id_is_stored_once(bus: Bus) -> None:
    await asyncio.gather(*(bus.publish(Outgoing(SUBJECT, b"x", "same")) for _ in range(5)))
    assert await stored(bus) == 1


async def test_batches_come_until_the_stop_and_what_is_acknowledged_is_gone(bus: Bus, life: Life) -> None:
    await bus.publish_window([Outgoing(SUBJECT, b"x", str(number)) for number in range(300)])
    seen = 0
    consumer = await bus.consumer(topology.COACHING_INBOUND)
    async for batch in consumer.batches(128, life.stopping):
        assert len(batch) <= 128
        async with consumer.working(batch):
            await asyncio.gather(*(message.ack() for message in batch))
        seen += len(batch)
        if seen == 300:
            life.stop()
    assert seen == 300
    await bus.nc.flush()
    info = await bus.js.consumer_info("INBOUND", "coaching-inbound")
    assert (info.num_pending, info.num_ack_pending) == (0, 0)


async def test_what_is_worked_on_stays_ours_for_longer_than_the_servers_ack_wait(bus: Bus, life: Life) -> None:
    quick = replace(topology.COACHING_INBOUND, ack_wait_seconds=1)  # the code says more
    await apply(bus.js, topology.STREAMS, [quick])
    await bus.publish(Outgoing(SUBJECT, b"x", "one"))
    consumer = await bus.consumer(topology.COACHING_INBOUND)
    async for (message,) in consumer.batches(1, life.stopping):
        async with consumer.working([message]):
            await asyncio.sleep(2.5)
        info = await bus.js.consumer_info("INBOUND", "coaching-inbound")
        assert (info.num_ack_pending, info.num_redelivered) == (1, 0)
        await message.ack()
        life.stop()


async def test_a_stop_ends_a_consumer_that_waits(bus: Bus, life: Life) -> None:
    consumer = await bus.consumer(topology.COACHING_INBOUND)

    async def consume() -> list[int]:
        return [len(batch) async for batch in consumer.batches(10, life.stopping)]

    waiting = asyncio.create_task(consume())
    await asyncio.sleep(0.2)
    life.stop()
    assert await asyncio.wait_for(waiting, 3) == []


async def test_a_missing_consumer_says_what_to_run(bus: Bus) -> None:
    await bus.js.delete_consumer("INBOUND", "coaching-inbound")
    with pytest.raises(StartError, match="streams apply"):
        await bus.consumer(topology.COACHING_INBOUND)


async def test_a_server_that_stalls_while_it_is_checked_leaves_nobody_deaf(life: Life, tmp_path: Path) -> None:
    part = NatsPart(tmp_path, free_port())
    with running(part):
        server = listening_on(part.port)
        bus = await connect(part.url, "kit-test", life)
        await apply(bus.js, topology.STREAMS, topology.CONSUMERS)
        life.readiness.add("nats", bus.check)
        server.send_signal(signal.SIGSTOP)
        try:
            passed, checks = await life.readiness.report()
            assert not passed
            assert checks["nats"] != "ok"
            await asyncio.gather(*(bus.check() for _ in range(3)), return_exceptions=True)
        finally:
            server.send_signal(signal.SIGCONT)
        assert await life.readiness.report() == (True, {"nats": "ok"})
        await bus.publish(Outgoing(SUBJECT, b"x", "after the stall"))
        assert await stored(bus) == 1
        await bus.close()


async def test_no_server_is_a_start_error(life: Life) -> None:
    with pytest.raises(StartError, match="NATS_URL"):
        await connect(f"nats://127.0.0.1:{free_port()}", "kit-test", life, patience_seconds=0.5)


class Rows:
    """Outbox rows in a list, as a table would keep them."""

    def __init__(self, rows: Sequence[Outgoing]) -> None:
        self.waiting = list(rows)
        self.empty = asyncio.Event()

    async def claim(self, limit: int) -> Sequence[Outgoing]:
        return self.waiting[:limit]

    async def published(self, msg_ids: Sequence[str]) -> None:
        self.waiting = [row for row in self.waiting if row.msg_id not in set(msg_ids)]
        if not self.waiting:
            self.empty.set()


async def test_the_relay_empties_the_outbox_and_wakes_for_a_new_row(bus: Bus, life: Life) -> None:
    rows = Rows([Outgoing(SUBJECT, b"x", f"row-{number}") for number in range(300)])
    relay = Relay(rows, bus, window=128, poll_seconds=60)
    running = asyncio.create_task(relay.run(life.stopping))
    async with asyncio.timeout(30):
        await rows.empty.wait()
        rows.empty.clear()
        rows.waiting.append(Outgoing(SUBJECT, b"x", "late"))
        relay.wake()
        await rows.empty.wait()
    life.stop()
    await asyncio.wait_for(running, 30)
    assert await stored(bus) == 301


async def test_a_row_that_the_stream_refuses_stays(bus: Bus) -> None:
    rows = Rows([Outgoing("no.such.stream", b"x", "row")])
    with pytest.raises(ConnectionError):
        await Relay(rows, bus).once()
    assert len(rows.waiting) == 1
