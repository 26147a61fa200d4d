"""An account that does not work is tried again, and says in the metrics and the log what to do."""

import asyncio

import pytest

from channel_adapter.app.channel import Connection
from channel_adapter.app.connect import AccountState, ConnectAccount
from channel_adapter.channels.telegram.handler import ABILITIES, TelegramReceiver
from channel_adapter.domain.delivery import Problem, ProviderError
from fakes.channel_ports import ORGANIZATION, MemoryRecords, MemorySender
from kit.metrics import render


class Provider:
    def __init__(self, *failures: Problem) -> None:
        self.failures = [ProviderError(problem) for problem in failures]
        self.webhooks: list[str | None] = []

    async def connect(self, webhook_url: str | None) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.webhooks.append(webhook_url)


def account(provider: Provider, organization: str = ORGANIZATION) -> Connection:
    return Connection(
        "telegram", "1000", organization, ABILITIES, TelegramReceiver(None), MemorySender(), connector=provider
    )


def in_state(state: str) -> float:
    line = next(
        (line for line in render().decode().splitlines()
         if line.startswith(f'channel_accounts{{channel="telegram",state="{state}"}}')),
        "0 0",
    )  # fmt: skip
    return float(line.split()[-1])


async def test_a_ready_account_is_noted_and_its_updates_are_sent_to_us() -> None:
    records, provider = MemoryRecords(), Provider()
    connection = account(provider)
    connect = ConnectAccount(records, asyncio.Event())
    assert await connect(connection, "https://coach.example/webhooks/telegram/1000", AccountState(connection))
    assert records.accounts == {("telegram", "1000"): ORGANIZATION}
    assert provider.webhooks == ["https://coach.example/webhooks/telegram/1000"]


async def test_it_is_tried_until_it_works() -> None:
    provider = Provider(Problem.UNREACHABLE)
    connection = account(provider)
    assert await ConnectAccount(MemoryRecords(), asyncio.Event())(connection, None, AccountState(connection))
    assert provider.webhooks == [None]


@pytest.mark.parametrize("problem", [Problem.CREDENTIALS_REFUSED, Problem.UNREACHABLE])
async def test_a_failing_account_does_not_keep_the_process_from_ending(problem: Problem) -> None:
    connection = account(Provider(*[problem] * 9))
    stopping = asyncio.Event()
    failing = in_state("failing")
    task = asyncio.create_task(ConnectAccount(MemoryRecords(), stopping)(connection, None, AccountState(connection)))
    await asyncio.sleep(0.01)
    assert in_state("failing") == failing + 1
    stopping.set()
    assert await asyncio.wait_for(task, 10) is False


async def test_the_account_of_another_organisation_is_not_served() -> None:
    records, provider = MemoryRecords(), Provider()
    records.accounts["telegram", "1000"] = "11111111-0000-7000-8000-000000000001"
    connection = account(provider)
    assert await ConnectAccount(records, asyncio.Event())(connection, None, AccountState(connection)) is False
    assert not provider.webhooks
