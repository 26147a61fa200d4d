"""One process per account fetches updates, and confirms only what the stream has stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channel_adapter.app.channel import Connection
from channel_adapter.app.connect import AccountState
from channel_adapter.app.files import KeepFiles
from channel_adapter.app.poll import LeaseTimes, PollAccount
from channel_adapter.app.ports import Polled
from channel_adapter.app.receive import Intake
from channel_adapter.channels.telegram.handler import ABILITIES, TelegramReceiver
from channel_adapter.domain.delivery import Problem, ProviderError
from channel_adapter.domain.messages import Incoming, Parsed, PersonText
from fakes.channel_ports import (
    ORGANIZATION,
    MemoryFileStore,
    MemoryInbound,
    MemoryLeases,
    MemoryRecords,
    MemorySender,
    clock,
)

HOLD = 0.2
ENDPOINT = ("telegram", "1000")


def said(number: int) -> Parsed:
    return Parsed(events=(Incoming(str(number), "7", "7", number, PersonText(f"Message {number}")),))


class Provider:
    """Gives out updates from a position, as a long poll does."""

    def __init__(self) -> None:
        self.updates: dict[int, Parsed] = {}
        self.asked: list[int] = []
        self.failures: list[ProviderError] = []
        self.connects: list[str | None] = []

    def add(self, *numbers: int) -> None:
        self.updates |= {number: said(number) for number in numbers}

    async def poll(self, position: int) -> Polled:
        self.asked.append(position)
        await asyncio.sleep(0.002)
        if self.failures:
            raise self.failures.pop(0)
        found = {number: update for number, update in self.updates.items() if number >= position}
        return Polled(tuple(found.values()), max(found, default=position - 1) + 1)

    async def connect(self, webhook_url: str | None) -> None:
        self.connects.append(webhook_url)


class Station:
    """What two processes share: the provider, the stream, and the leases."""

    def __init__(self) -> None:
        self.provider = Provider()
        self.inbound = MemoryInbound()
        self.time = clock()
        self.leases = MemoryLeases(self.time, HOLD)

    @asynccontextmanager
    async def process(self) -> AsyncIterator[asyncio.Event]:
        connection = Connection(
            *ENDPOINT, ORGANIZATION, ABILITIES, TelegramReceiver(None), MemorySender(),
            connector=self.provider, poller=self.provider,
        )  # fmt: skip
        files = KeepFiles(MemoryFileStore(), MemoryRecords(), 1, 1)
        intake = Intake(self.inbound, files, self.time)
        leases = MemoryLeases(self.time, HOLD, self.leases)
        poll = PollAccount(connection, intake, leases, LeaseTimes(HOLD), AccountState(connection))
        stopping = asyncio.Event()
        task = asyncio.create_task(poll.run(self.provider, stopping))
        try:
            yield stopping
        finally:
            stopping.set()
            await asyncio.wait_for(task, 30)

    async def stored(self, *numbers: int) -> None:
        async with asyncio.timeout(30):
            while set(self.inbound.events) != {f"telegram:1000:{number}" for number in numbers}:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def confirmed(self, position: int) -> None:
        async with asyncio.timeout(30):
            while self.leases.held[ENDPOINT].position != position:  # noqa: ASYNC110  # what is asked for next
                await asyncio.sleep(0.005)


async def test_updates_reach_the_stream_and_are_then_confirmed() -> None:
    station = Station()
    station.provider.add(5, 6)
    async with station.process():
        await station.stored(5, 6)
        await station.confirmed(7)
        station.provider.add(7)
        await station.stored(5, 6, 7)


async def test_what_is_not_stored_is_not_confirmed() -> None:
    station = Station()
    station.inbound.available = False
    station.provider.add(5)
    async with station.process():
        while len(station.provider.asked) < 2:  # noqa: ASYNC110  # it has been offered, refused, offered again
            await asyncio.sleep(0.005)
        assert station.leases.held[ENDPOINT].position == 0
        assert set(station.provider.asked) == {0}
        station.inbound.available = True
        await station.stored(5)


async def test_a_second_process_waits_and_goes_on_where_the_first_ended() -> None:
    station = Station()
    station.provider.add(5)
    async with station.process():
        await station.stored(5)
        await station.confirmed(6)
        async with station.process():
            await asyncio.sleep(0.05)
            assert station.leases.held[ENDPOINT].token == 1
    asked = len(station.provider.asked)
    station.provider.add(6)
    async with station.process():
        await station.stored(5, 6)
    assert station.provider.asked[asked] == 6
    assert station.leases.held[ENDPOINT].token == 2


async def test_a_lost_lease_ends_the_polling_until_it_is_free_again() -> None:
    station = Station()
    async with station.process():
        while not station.provider.asked:  # noqa: ASYNC110  # it polls
            await asyncio.sleep(0.005)
        station.time.advance(HOLD)
        other = await station.leases.acquire(ORGANIZATION, *ENDPOINT)
        assert other is not None
        await asyncio.sleep(HOLD)
        asked = len(station.provider.asked)
        station.provider.add(9)
        await asyncio.sleep(HOLD)
        assert len(station.provider.asked) == asked
        assert station.leases.held[ENDPOINT].position == 0
        await station.leases.release(other)
        await station.stored(9)


async def test_a_conflict_removes_an_old_webhook() -> None:
    station = Station()
    station.provider.failures = [ProviderError(Problem.CONFLICT)]
    station.provider.add(5)
    async with station.process():
        await station.stored(5)
    assert station.provider.connects == [None]


async def test_without_the_database_nobody_polls() -> None:
    station = Station()
    async with station.process():
        pass
    broken = Station()
    broken.leases.available = False
    leases = broken.leases
    connection = Connection(*ENDPOINT, ORGANIZATION, ABILITIES, TelegramReceiver(None), MemorySender())
    intake = Intake(broken.inbound, KeepFiles(MemoryFileStore(), MemoryRecords(), 1, 1), broken.time)
    poll = PollAccount(connection, intake, leases, LeaseTimes(HOLD), AccountState(connection))
    stopping = asyncio.Event()
    task = asyncio.create_task(poll.run(broken.provider, stopping))
    await asyncio.sleep(HOLD)
    stopping.set()
    await task
    assert not broken.provider.asked
