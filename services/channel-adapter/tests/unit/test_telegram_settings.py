"""Telegram's knobs: what is wrong is named without its value, and a webhook that anybody could call is refused."""

import pytest

from channel_adapter.channels.telegram.settings import TelegramSettings
from channel_adapter.settings import ChannelAdapterSettings
from kit.settings import SettingsError, load

STRONG = "k3J9-xQ27_bNvTz85LmWp4RcYhGdSaFe"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("no-env-files"))
    for name in ("ENVIRONMENT", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "PUBLIC_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://channels_service:pw@db.example/coaching")
    monkeypatch.setenv("NATS_URL", "nats://nats.example:4222")


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> TelegramSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load(TelegramSettings)


def test_several_bots_are_named_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, TELEGRAM_BOT_TOKEN="1000:aaa, 2000:bbb")
    assert found.telegram_tokens() == {"1000": "1000:aaa", "2000": "2000:bbb"}


def test_without_a_token_the_channel_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, TELEGRAM_BOT_TOKEN="").telegram_tokens() == {}


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, PUBLIC_URL="", TELEGRAM_WEBHOOK_SECRET="", SECRET_KEY="", TELEGRAM_API_URL="")
    assert (found.public_url, found.webhook_secret_of("1000")) == (None, None)
    assert found.telegram_api_url == "https://api.telegram.org"


def test_each_bot_has_its_own_derived_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, SECRET_KEY=STRONG)
    secrets = {found.webhook_secret_of(bot) for bot in ("1000", "2000")}
    assert len(secrets) == 2
    assert None not in secrets


def test_a_secret_that_is_set_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, SECRET_KEY=STRONG, TELEGRAM_WEBHOOK_SECRET="mine")
    assert found.webhook_secret_of("1000") == "mine"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TELEGRAM_BOT_TOKEN": "not-a-token"}, "TELEGRAM_BOT_TOKEN"),
        ({"TELEGRAM_WEBHOOK_SECRET": "no spaces"}, "TELEGRAM_WEBHOOK_SECRET"),
        ({"TELEGRAM_BOT_TOKEN": "1000:a", "PUBLIC_URL": "https://a.example"}, "TELEGRAM_WEBHOOK_SECRET"),
        (
            {"TELEGRAM_BOT_TOKEN": "1000:a", "PUBLIC_URL": "https://a.example", "ENVIRONMENT": "production"},
            "TELEGRAM_WEBHOOK_SECRET is missing: production needs it",
        ),
        (
            {
                "TELEGRAM_BOT_TOKEN": "1000:a",
                "PUBLIC_URL": "https://a.example",
                "ENVIRONMENT": "staging",
                "TELEGRAM_WEBHOOK_SECRET": "weak",
            },
            "TELEGRAM_WEBHOOK_SECRET is too weak",
        ),
        ({"ENVIRONMENT": "staging", "TELEGRAM_WEBHOOK_SECRET": "weak"}, "TELEGRAM_WEBHOOK_SECRET is too weak"),
        ({"ENVIRONMENT": "production", "SECRET_KEY": "weak"}, "SECRET_KEY is too weak"),
        ({"TELEGRAM_API_URL": "api.telegram.org"}, "TELEGRAM_API_URL"),
        ({"PUBLIC_URL": "example"}, "PUBLIC_URL"),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as error:
        read(monkeypatch, **environment)
    assert words in str(error.value)
    assert "not-a-token" not in str(error.value)
    assert "1000:a" not in str(error.value)


def test_the_service_reads_its_own_settings_and_those_of_its_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://coach.example/")
    monkeypatch.setenv("SECRET_KEY", STRONG)
    monkeypatch.setenv("telegram_bot_token", "1000:aaa")
    found = load(ChannelAdapterSettings)
    assert found.webhook_url("telegram", "1000") == "https://coach.example/webhooks/telegram/1000"
    assert TelegramSettings in type(found).__mro__
    assert found.max_workers == 8
    assert found.uploads_dir == ".data/uploads"


def test_in_production_files_lie_where_the_documentation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert load(ChannelAdapterSettings).uploads_dir == "/var/lib/coaching-platform/uploads"


def test_a_setting_of_later_work_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", "abc")
    assert load(ChannelAdapterSettings).ignored_settings() == ["WHATSAPP_ACCESS_TOKEN"]
