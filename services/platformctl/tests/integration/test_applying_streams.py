"""Streams and consumers are brought to what code says, and told as they are."""

from collections.abc import AsyncIterator

import pytest

from contracts import topology
from kit.jetstream import Bus, Outgoing, connect
from kit.process import Life
from platformctl.streams.applying import apply, describe

SUBJECT = "inbound.test.1"


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    bus = await connect(nats_url, "platformctl-test", Life("platformctl-test", drain_seconds=5))
    yield bus
    await bus.close()


async def test_applying_twice_changes_nothing_and_a_difference_is_mended(bus: Bus) -> None:
    everything = (topology.STREAMS, topology.CONSUMERS)
    assert {change.action for change in await apply(bus.js, *everything)} == {"unchanged"}
    await bus.js.delete_stream("OUTBOUND")
    planned = await apply(bus.js, *everything, dry_run=True)
    done = await apply(bus.js, *everything)
    assert planned == done
    assert {change.name for change in done if change.action == "created"} == {
        "OUTBOUND", "channel-adapter-reply", "channel-adapter-proactive",
    }  # fmt: skip
    changed = await apply(bus.js, *everything, window_seconds=7)
    assert {change.name for change in changed if change.action == "updated"} == {"INBOUND", "OUTBOUND", "DEADLETTER"}


async def test_describe_tells_of_missing_streams_and_of_waiting_messages(bus: Bus) -> None:
    await bus.publish(Outgoing(SUBJECT, b"x", "1"))
    await bus.js.delete_stream("DEADLETTER")
    described = {entry["stream"]: entry for entry in await describe(bus.js, topology.STREAMS)}
    assert described["INBOUND"]["messages"] == 1
    assert described["DEADLETTER"] == {"stream": "DEADLETTER", "exists": False}
