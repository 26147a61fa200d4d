"""Webhooks and web messages that come while a call is under way share the next one, and none spoils another."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fakes.gateway_peers import ALONE, Peers, running_peers
from gateway.adapters.channel_adapter_client import BOUNDS, SINGLY_SECONDS, ChannelAdapterClient
from gateway.domain.refusals import Reason, Refused
from gateway.domain.webhooks import Answer, RawRequest
from kit import grpc_client
from kit.clock import FixedClock

REQUEST = RawRequest("telegram", "4711", "POST", (), "", b"0")
Both = tuple[ChannelAdapterClient, Peers]


@pytest.fixture
async def both(fixed_clock: FixedClock) -> AsyncIterator[Both]:
    async with running_peers() as peers:
        channel = grpc_client.channel(peers.address)
        peers.inbound.judge = lambda request: Answer(200, "text/plain", request.body[:8])
        yield ChannelAdapterClient(channel, fixed_clock), peers
        await channel.close(None)


def bodies(*numbers: int, size: int = 0) -> list[RawRequest]:
    return [replace(REQUEST, body=str(number).encode().ljust(size)) for number in numbers]


async def under_way(both: Both, seconds: float) -> "asyncio.Task[Answer]":
    """Return a request that the adapter has, and answers after `seconds`."""
    client, peers = both
    peers.inbound.seconds = seconds
    first = asyncio.create_task(client.receive(REQUEST, 20))
    while not peers.inbound.busy:  # noqa: ASYNC110  # the fake's own count
        await asyncio.sleep(0.001)
    return first


async def test_what_comes_during_a_call_goes_in_the_next_and_each_gets_its_own_answer(both: Both) -> None:
    client, peers = both
    first = await under_way(both, 0.1)
    answers = await asyncio.gather(*(client.receive(request, 5) for request in bodies(*range(100))))
    assert [int(answer.body) for answer in answers] == list(range(100))
    assert (await first).body == b"0"
    assert (peers.lists, peers.single) == ([1, 100], 0)


async def test_lists_stay_within_what_a_message_may_hold(both: Both) -> None:
    client, peers = both
    requests = bodies(*range(20), size=1024 * 1024) + bodies(20, size=8 * 1024 * 1024) + bodies(*range(21, 400))
    answers = await asyncio.gather(*(client.receive(request, 30) for request in requests))
    assert [int(answer.body) for answer in answers] == list(range(400))
    assert max(peers.lists) == BOUNDS.items
    # What is larger goes alone.
    assert all(size <= BOUNDS.size or number == 1 for number, size in zip(peers.lists, peers.list_bytes, strict=True))


async def test_each_waits_no_longer_than_its_own_deadline(both: Both) -> None:
    client, peers = both
    peers.inbound.seconds = 1.5
    hurried, patient = (asyncio.create_task(client.receive(REQUEST, seconds)) for seconds in (0.2, 20))
    with pytest.raises(Refused) as refused:
        await hurried
    assert not patient.done()
    assert refused.value.reason is Reason.TIMED_OUT
    assert (await patient).status == 200


async def test_a_call_that_hangs_does_not_hold_up_what_comes_after_it(both: Both) -> None:
    client, peers = both
    stuck = await under_way(both, 600)
    peers.inbound.seconds = 0
    assert (await asyncio.wait_for(client.receive(REQUEST, 20), 10)).status == 200
    stuck.cancel()


async def test_whoever_gave_up_while_waiting_is_not_sent(both: Both) -> None:
    client, peers = both
    first = await under_way(both, 0.1)
    gone, stays = (asyncio.create_task(client.receive(request, 5)) for request in bodies(1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(first, stays)
    await asyncio.gather(gone, return_exceptions=True)
    assert [request.body for request in peers.inbound.requests] == [b"0", b"2"]


async def test_a_request_with_files_is_sent_again_by_itself(both: Both) -> None:
    client, peers = both
    with_files = replace(REQUEST, query=ALONE)
    answers = await asyncio.gather(*(client.receive(one, 5) for one in (REQUEST, with_files, REQUEST)))
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert (peers.lists, peers.single, len(peers.inbound.requests)) == ([3], 1, 3)


@pytest.mark.guarantee("P9-old-beside-new")
async def test_while_adapters_of_before_are_replaced_every_request_is_answered(fixed_clock: FixedClock) -> None:
    async with running_peers() as older, running_peers() as newer:
        older.old = True
        for peers in (older, newer):
            peers.inbound.judge = lambda request: Answer(200, "text/plain", request.body[:8])
        channel = grpc_client.channel(f"{older.address},{newer.address}")
        client = ChannelAdapterClient(channel, fixed_clock)
        for _ in range(10):
            answers = await asyncio.gather(*(client.receive(request, 5) for request in bodies(*range(20))))
            assert [int(answer.body) for answer in answers] == list(range(20))
            fixed_clock.advance(SINGLY_SECONDS)
        await channel.close(None)
    assert older.single
    assert newer.lists


async def test_an_adapter_of_before_is_asked_singly_and_after_a_minute_for_lists_again(
    both: Both, fixed_clock: FixedClock
) -> None:
    client, peers = both
    peers.old = True
    answers = await asyncio.gather(*(client.receive(request, 5) for request in bodies(*range(5))))
    assert [int(answer.body) for answer in answers] == list(range(5))
    peers.old = False
    await client.receive(REQUEST, 5)
    assert (peers.lists, peers.single) == ([], 6)
    fixed_clock.advance(SINGLY_SECONDS)
    await client.receive(REQUEST, 5)
    assert (peers.lists, peers.single) == ([1], 6)
