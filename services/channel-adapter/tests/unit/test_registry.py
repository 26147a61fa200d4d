"""A channel is a folder and a line, and its abilities say what its connections can do."""

from pathlib import Path
from typing import Any

import pytest
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


def connections() -> list[Connection]:
    values: dict[str, Any] = {
        "telegram_bot_token": SecretStr("1000:aaa"),
        "telegram_webhook_secret": None,
        "telegram_api_url": "http://127.0.0.1:1",
        "telegram_send_timeout_seconds": 1.0,
        "telegram_poll_seconds": 1,
        "secret_key": SecretStr("key"),
    }
    settings = ChannelAdapterSettings.model_construct(**values)
    outside = Outside(ORGANIZATION, NoPages(), clock(), lambda _: None)
    return [connection for kind in CHANNELS.values() for connection in kind.open(settings, outside)]


def test_every_folder_is_registered_and_nothing_else_is() -> None:
    root = Path(channels.__file__).parent
    folders = {path.name for path in root.iterdir() if (path / "__init__.py").exists()}
    assert set(CHANNELS) == folders
    assert all((root / name / "handler.py").exists() for name in folders)


@pytest.mark.parametrize("connection", connections(), ids=lambda connection: connection.channel)
def test_a_connection_has_the_parts_that_its_abilities_promise(connection: Connection) -> None:
    abilities = connection.abilities
    assert connection.abilities is CHANNELS[connection.channel].abilities
    assert (connection.poller is not None) is abilities.polling
    assert (connection.typist is not None) is abilities.typing
    assert (connection.files is not None) is abilities.files


def test_every_problem_has_a_verdict() -> None:
    assert set(VERDICTS) == set(Problem)
