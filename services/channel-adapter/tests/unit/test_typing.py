"""The channel shows that the coach is writing, now and then, and never at the cost of anything else."""

import asyncio

from channel_adapter.app.channel import Connection, by_endpoint
from channel_adapter.app.typing import CALLS_A_SECOND, CALLS_AT_ONCE, SHOWN_SECONDS, ShowTyping
from channel_adapter.channels.telegram.handler import ABILITIES, TelegramReceiver
from channel_adapter.domain.delivery import Problem, ProviderError
from fakes.channel_ports import ORGANIZATION, MemorySender, clock


class Typist:
    def __init__(self) -> None:
        self.shown: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def show_typing(self, address: str) -> None:
        self.shown.append(address)
        await self.gate.wait()
        if self.fails:
            raise ProviderError(Problem.UNREACHABLE)


class Screen:
    def __init__(self) -> None:
        self.typist = Typist()
        self.clock = clock()
        connection = Connection(
            "telegram", "1000", ORGANIZATION, ABILITIES, TelegramReceiver(None), MemorySender(), typist=self.typist
        )
        self._typing = ShowTyping(by_endpoint([connection]), self.clock)

    async def writing(self, *addresses: str, account: str = "1000") -> list[str]:
        for address in addresses:
            self._typing.writing("telegram", account, address)
        for _ in range(3):
            await asyncio.sleep(0)
        return self.typist.shown


async def test_it_is_shown_once_for_the_time_that_it_lasts() -> None:
    screen = Screen()
    assert await screen.writing("7", "7", "8") == ["7", "8"]
    screen.clock.advance(SHOWN_SECONDS)
    assert await screen.writing("7") == ["7", "8", "7"]


async def test_what_is_too_much_is_left_out() -> None:
    screen = Screen()
    screen.typist.gate.clear()
    assert len(await screen.writing(*map(str, range(CALLS_AT_ONCE + 5)))) == CALLS_AT_ONCE
    screen.typist.gate.set()
    await screen.writing()


async def test_a_second_has_so_many_calls_and_the_next_as_many() -> None:
    screen = Screen()
    shown = [await screen.writing(str(person)) for person in range(CALLS_A_SECOND + 5)]
    assert len(shown[-1]) == CALLS_A_SECOND
    screen.clock.advance(1)
    assert len(await screen.writing("a", "b")) == CALLS_A_SECOND + 2


async def test_an_account_that_is_not_here_is_not_ours() -> None:
    assert await Screen().writing("7", account="999") == []


async def test_a_failure_is_no_matter() -> None:
    screen = Screen()
    screen.typist.fails = True
    assert await screen.writing("7") == ["7"]
