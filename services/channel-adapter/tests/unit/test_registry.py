"""A channel is a folder and a line, and its abilities say what its connections can do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from channel_adapter import channels
from channel_adapter.app.channel import Connection, Outside
from channel_adapter.channels.registry import CHANNELS
from channel_adapter.domain.delivery import VERDICTS, Outbound, Problem
from channel_adapter.settings import ChannelAdapterSettings
from fakes.channel_ports import ORGANIZATION, clock


class NoPages:
    async def show(self, message: Outbound) -> None:
        raise NotImplementedError


@asynccontextmanager
async def connections() -> AsyncIterator[list[Connection]]:
    values: dict[str, Any] = {
        "telegram_bot_token": SecretStr("1000:aaa"),
        "telegram_webhook_secret": None,
        "telegram_api_url": "http://127.0.0.1:1",
        "telegram_send_timeout_seconds": 1.0,
        "telegram_poll_seconds": 1,
        "secret_key": SecretStr("key"),
    }
    settings = ChannelAdapterSettings.model_construct(**values)
    closes: list[Callable[[], Awaitable[None]]] = []
    outside = Outside(ORGANIZATION, NoPages(), clock(), closes.append)
    yield [connection for kind in CHANNELS.values() for connection in kind.open(settings, outside)]
    for close in closes:
        await close()


def test_every_folder_is_registered_and_nothing_else_is() -> None:
    root = Path(channels.__file__).parent
    folders = {path.name for path in root.iterdir() if (path / "__init__.py").exists()}
    assert set(CHANNELS) == folders
    assert all((root / name / "handler.py").exists() for name in folders)


async def test_a_connection_has_the_parts_that_its_abilities_promise() -> None:
    async with connections() as found:
        assert {connection.channel for connection in found} == set(CHANNELS)
        for connection in found:
            abilities = connection.abilities
            assert abilities is CHANNELS[connection.channel].abilities
            assert (connection.poller is not None) is abilities.polling
            assert (connection.typist is not None) is abilities.typing
            assert (connection.files is not None) is abilities.files


def test_every_problem_has_a_verdict() -> None:
    assert set(VERDICTS) == set(Problem)
