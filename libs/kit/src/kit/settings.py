"""Settings that every service has, read from the environment, `.env` and `.env.<environment>`."""

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self, TypeVar

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET_CHARACTERS = 32
MIN_DISTINCT_CHARACTERS = 10
UNSET = SecretStr("")


class Environment(StrEnum):
    """Where a process runs; staging and production refuse missing and weak secrets."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class SettingsError(Exception):
    """A setting is missing or wrong; the text names it, says what to do, and never holds its value."""


def by_environment(development: Any, staging: Any, production: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a default factory that picks the environment's default; ENVIRONMENT must be declared before the field."""
    table = dict(zip(Environment, (development, staging, production), strict=True))

    def pick(data: dict[str, Any]) -> Any:
        return table[data.get("environment", Environment.DEVELOPMENT)]

    pick.by_environment = table  # type: ignore[attr-defined]  # read by the settings reference
    return pick


class BaseServiceSettings(BaseSettings):
    """What every service reads. Names on the wire are the upper-case field names, in any case."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, env_ignore_empty=True)
    required_secrets: ClassVar[tuple[str, ...]] = ()
    not_used_yet: ClassVar[tuple[str, ...]] = ("SENTRY_DSN",)

    environment: Environment = Field(Environment.DEVELOPMENT, description="development, staging or production.")
    debug: bool = Field(
        default_factory=by_environment(True, False, False),
        description="Errors are logged with every place; development only.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default_factory=by_environment("DEBUG", "INFO", "WARNING"), description="Least severity that is logged."
    )
    bind_host: str = Field("127.0.0.1", description="Address that the service's ports listen on.")
    http_port: int = Field(8000, ge=0, le=65535, description="Port of /health, /ready and /metrics.")
    grpc_port: int = Field(50051, ge=0, le=65535, description="Port of the gRPC server, where the service has one.")
    grpc_max_connection_age_seconds: float = Field(
        300.0, ge=1, le=300, description="Age at which clients of the gRPC server connect anew, and find new replicas."
    )
    request_timeout: float = Field(
        30.0,
        gt=0,
        le=600,
        validation_alias=AliasChoices("REQUEST_TIMEOUT", "REQUEST_TIMEOUT_SECONDS", "request_timeout"),
        description="Seconds that an HTTP request may take, with all that it waits for: other services, files.",
    )
    max_workers: int = Field(4, ge=1, le=256, description="Work done at once; each service says what it bounds.")
    drain_seconds: float = Field(20.0, ge=0, le=600, description="Longest wait for work in progress at a stop.")
    otel_exporter_otlp_endpoint: str | None = Field(None, description="Where traces go (OTLP over gRPC), if anywhere.")
    test_clock: str | None = Field(None, description="File whose seconds are added to every clock; not in production.")
    fault_points: str = Field(
        "", description="Comma-separated points at which the process kills itself (tests); not in production."
    )

    @model_validator(mode="after")
    def check_environment(self) -> Self:
        """Refuse what must not be in production, and weak secrets outside development."""
        problems: list[str] = []
        if self.environment is Environment.PRODUCTION:
            tests = {"TEST_CLOCK": self.test_clock, "FAULT_POINTS": self.fault_points}
            problems += [f"{name} must not be set in production" for name, value in tests.items() if value]
        if self.environment is not Environment.DEVELOPMENT:
            if self.debug:
                problems.append("DEBUG must be false outside development")
            problems += [problem for name in self.required_secrets for problem in self._weakness(name)]
            problems += [f"{key.upper()} is missing" for key, value in self if value == UNSET and key.endswith("_url")]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _weakness(self, name: str) -> list[str]:
        value = getattr(self, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else (value or "")
        if not text:
            return [f"{name.upper()} is missing: {self.environment.value} needs it"]
        if len(text) < MIN_SECRET_CHARACTERS or len(set(text)) < MIN_DISTINCT_CHARACTERS:
            return [f"{name.upper()} is too weak: use {MIN_SECRET_CHARACTERS} or more random characters"]
        return []

    def ignored_settings(self) -> list[str]:
        """Name the settings of later work that are set although nothing reads them yet."""
        files = (dotenv_values(".env"), dotenv_values(f".env.{self.environment}"))
        present = {name.upper() for source in (os.environ, *files) for name, value in source.items() if value}
        return [name for name in self.not_used_yet if name in present]


def _store(url: str, description: str) -> Any:  # on this machine in development only: elsewhere it must be set
    return Field(default_factory=by_environment(SecretStr(url), UNSET, UNSET), description=description)


class DatabaseSettings(BaseServiceSettings):
    """For services that keep truth in PostgreSQL."""

    database_url: SecretStr = _store("postgresql://localhost:5432/coaching_dev", "PostgreSQL, as the service's role.")
    database_pool_size: int = Field(
        default_factory=by_environment(20, 20, 50), ge=1, description="Connections kept open."
    )
    database_max_overflow: int = Field(
        default_factory=by_environment(30, 30, 100), ge=0, description="Connections above the pool under load."
    )


class NatsSettings(BaseServiceSettings):
    """For services that talk over NATS."""

    nats_url: SecretStr = _store("nats://localhost:4222", "NATS server, with its credentials.")


class RedisSettings(BaseServiceSettings):
    """For services that keep what may be lost in Redis."""

    redis_url: SecretStr = _store("redis://localhost:6379/0", "Redis server, with its password.")
    redis_max_connections: int = Field(100, ge=1, description="Connections to Redis at most.")


S = TypeVar("S", bound=BaseServiceSettings)


def chosen_environment() -> str:
    """Return the raw name of the environment, from the process or `.env`."""
    for source in (os.environ, dotenv_values(".env")):
        for name, value in source.items():
            if name.upper() == "ENVIRONMENT" and value:
                return value.strip().lower()
    return Environment.DEVELOPMENT.value


def load(kind: type[S], **given: Any) -> S:
    """Read the settings; what is `given` wins, then the process's environment, `.env.<environment>`, `.env`.

    Raises SettingsError, with a text that names every wrong setting and holds no value.
    """
    name = chosen_environment()
    if name not in set(Environment):
        raise SettingsError(f"ENVIRONMENT is not known; use one of: {', '.join(Environment)}")
    try:
        return kind(_env_file=(".env", f".env.{name}"), environment=Environment(name), **given)
    except ValidationError as error:
        lines = [
            ": ".join([*(str(part).upper() for part in item["loc"][:1]), item["msg"].removeprefix("Value error, ")])
            for item in error.errors(include_input=False, include_url=False)
            if item["type"] != "default_factory_not_called"  # only because another setting is wrong
        ]
        raise SettingsError("; ".join(lines)) from None
