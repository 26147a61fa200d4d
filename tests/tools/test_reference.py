"""The reference pages say what the code says."""

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, SecretStr, create_model

from kit.settings import BaseServiceSettings, by_environment
from scripts.reference import default, metrics_of, names, own_fields, table

Settings = create_model(
    "Settings",
    __base__=BaseServiceSettings,
    send_timeout_seconds=(float, Field(10.0, description="Longest send.")),
    bot_token=(SecretStr | None, Field(None, description="The bot's token.")),
    pool=(int, Field(default_factory=by_environment(20, 20, 50), description="Connections.")),
    wait=(float, Field(30.0, validation_alias=AliasChoices("WAIT", "WAIT_SECONDS", "wait"))),
    address=(str, ...),
    store=(SecretStr, Field(default_factory=by_environment(SecretStr("nats://h"), SecretStr(""), SecretStr("")))),
)


def field(name: str) -> Any:
    return Settings.model_fields[name]


def test_a_setting_has_the_names_it_is_read_by() -> None:
    assert names("send_timeout_seconds", field("send_timeout_seconds")) == ["SEND_TIMEOUT_SECONDS"]
    assert names("wait", field("wait")) == ["WAIT", "WAIT_SECONDS"]


def test_a_default_is_written_as_a_person_would() -> None:
    assert default(field("send_timeout_seconds")) == "`10.0`"
    assert default(field("bot_token")) == ""
    assert default(field("pool")) == "`20` / `20` / `50`"
    assert default(field("address")) == "must be set"
    assert default(field("store")) == "`nats://h` / must be set / must be set"


def test_inherited_settings_are_listed_once() -> None:
    assert set(own_fields(Settings)) == {"send_timeout_seconds", "bot_token", "pool", "wait", "address", "store"}


def test_metrics_are_found_where_they_are_declared(tmp_path: Path) -> None:
    source = tmp_path / "metrics.py"
    source.write_text('SENT = metrics.counter("sent_total", "Messages sent.", ("channel",))\nother("x", "y")\n')
    assert metrics_of(source) == [("`sent_total`", "counter", "`channel`", "Messages sent.")]


def test_a_cell_does_not_break_the_table() -> None:
    assert table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x/y |\n"
