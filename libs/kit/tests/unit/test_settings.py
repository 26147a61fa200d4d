"""Settings: defaults by environment, refusals that name the setting and hide its value."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr

from kit.settings import (
    BaseServiceSettings,
    DatabaseSettings,
    Environment,
    NatsSettings,
    RedisSettings,
    SettingsError,
    load,
)

STRONG = "kJ8s-Qz71mVx0pL4wR6tYu2iOa9bDf3g"


class DoorSettings(DatabaseSettings):
    required_secrets: ClassVar[tuple[str, ...]] = ("secret_key",)
    secret_key: SecretStr = Field(SecretStr(""), description="Signs sessions.")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ENVIRONMENT", "LOG_LEVEL", "DEBUG", "SECRET_KEY", "REQUEST_TIMEOUT", "REQUEST_TIMEOUT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://coaching_service:pw@db.example/coaching")


@pytest.mark.parametrize(
    ("environment", "debug", "level", "pool", "overflow"),
    [
        ("development", True, "DEBUG", 20, 30),
        ("staging", False, "INFO", 20, 30),
        ("production", False, "WARNING", 50, 100),
    ],
)
def test_defaults_follow_the_environment(
    environment: str, debug: bool, level: str, pool: int, overflow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("environment", environment)
    monkeypatch.setenv("SECRET_KEY", STRONG)
    found = load(DoorSettings)
    assert (found.debug, found.log_level) == (debug, level)
    assert (found.database_pool_size, found.database_max_overflow) == (pool, overflow)


def test_an_unknown_environment_is_refused_with_the_allowed_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "prod")
    with pytest.raises(SettingsError, match="development, staging, production"):
        load(BaseServiceSettings)


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize(("secret", "says"), [("", "SECRET_KEY is missing"), ("changeme", "SECRET_KEY is too weak")])
def test_a_missing_or_weak_secret_is_named_and_not_shown(
    environment: str, secret: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("SECRET_KEY", secret)
    with pytest.raises(SettingsError, match=says) as refused:
        load(DoorSettings)
    assert not secret or secret not in str(refused.value)


class StoreSettings(DatabaseSettings, NatsSettings, RedisSettings):
    pass


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_outside_development_nobody_means_the_stores_of_this_machine(
    environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert load(StoreSettings).nats_url.get_secret_value() == "nats://localhost:4222"
    monkeypatch.setenv("ENVIRONMENT", environment)
    with pytest.raises(SettingsError) as refused:
        load(StoreSettings)
    for name in ("DATABASE_URL", "NATS_URL", "REDIS_URL"):
        assert f"{name} is missing" in str(refused.value)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_debug_is_refused_outside_development(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("debug", "true")
    with pytest.raises(SettingsError, match="DEBUG must be false"):
        load(BaseServiceSettings)


def test_development_starts_without_a_secret() -> None:
    assert load(DoorSettings).environment is Environment.DEVELOPMENT


def test_an_empty_setting_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_WORKERS", "")
    assert load(BaseServiceSettings).max_workers == 4
    Path(".env").write_text("MAX_WORKERS=2\nHTTP_PORT=\n")
    found = load(BaseServiceSettings)
    assert (found.max_workers, found.http_port) == (2, 8000)


@pytest.mark.parametrize(
    "name", ["REQUEST_TIMEOUT", "REQUEST_TIMEOUT_SECONDS", "request_timeout", "Request_Timeout_Seconds"]
)
def test_request_timeout_has_two_names_in_any_case_and_the_process_wins(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(BaseServiceSettings).request_timeout == 30
    Path(".env").write_text("REQUEST_TIMEOUT=9\n")
    assert load(BaseServiceSettings).request_timeout == 9
    monkeypatch.setenv(name, "7")
    assert load(BaseServiceSettings).request_timeout == 7


def test_env_files_are_read_the_environments_own_last(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("ENVIRONMENT=staging\nMAX_WORKERS=2\nLOG_LEVEL=ERROR\n")
    Path(".env.staging").write_text("MAX_WORKERS=3\n")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    found = load(BaseServiceSettings)
    assert (found.environment, found.max_workers, found.log_level) == (Environment.STAGING, 3, "WARNING")


@pytest.mark.parametrize("name", ["TEST_CLOCK", "FAULT_POINTS"])
def test_what_is_for_tests_is_refused_in_production(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=name):
        load(BaseServiceSettings)


def test_a_wrong_value_is_named_without_being_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_WORKERS", "hunter2")
    with pytest.raises(SettingsError, match="MAX_WORKERS") as refused:
        load(BaseServiceSettings)
    assert "hunter2" not in str(refused.value)


def test_only_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "hunter2")
    with pytest.raises(SettingsError) as refused:
        load(DoorSettings)
    assert str(refused.value) == "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"
    monkeypatch.delenv("LOG_LEVEL")
    monkeypatch.setenv("ENVIRONMENT", "staging")
    with pytest.raises(SettingsError) as refused:
        load(DoorSettings)
    assert str(refused.value) == "SECRET_KEY is missing: staging needs it"


@pytest.mark.parametrize("place", ["environment", ".env", ".env.staging"])
def test_settings_of_later_work_are_reported_wherever_they_stand(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")
    assert load(BaseServiceSettings).ignored_settings() == []
    if place == "environment":
        monkeypatch.setenv("sentry_dsn", "https://key@host/1")
    else:
        Path(place).write_text("SENTRY_DSN=https://key@host/1\n")
    assert load(BaseServiceSettings).ignored_settings() == ["SENTRY_DSN"]
