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


class Environment(StrEnum):
    """Where a process runs; staging and production refuse missing and weak secrets."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class SettingsError(Exception):
    """A setting is missing or wrong; the text names it, says what to do, and never holds its value."""


def by_environment(development: Any, staging: Any, production: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a default factory that picks the environment's default; ENVIRONMENT must be declared before the field."""
    table = {
        Environment.DEVELOPMENT: development,
        Environment.STAGING: staging,
        Environment.PRODUCTION: production,
    }

    def pick(data: dict[str, Any]) -> Any:
        return table[data.get("environment", Environment.DEVELOPMENT)]

    pick.by_environment = table  # type: ignore[attr-defined]  # read by the settings reference
    return pick


class BaseServiceSettings(BaseSettings):
    """What every service reads. Names on the wire are the upper-case field names, in any case."""

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore", populate_by_name=True)
    required_secrets: ClassVar[tuple[str, ...]] = ()
    not_used_yet: ClassVar[tuple[str, ...]] = ("SENTRY_DSN",)

    environment: Environment = Field(Environment.DEVELOPMENT, description="development, staging or production.")
    debug: bool = Field(
        default_factory=by_environment(True, False, False), description="Tracebacks in logs; only in development."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default_factory=by_environment("DEBUG", "INFO", "WARNING"), description="Least severity that is logged."
    )
    bind_host: str = Field("127.0.0.1", description="Address that the service's ports listen on.")
    http_port: int = Field(8000, ge=0, le=65535, description="Port of /health, /ready and /metrics.")
    grpc_port: int = Field(50051, ge=0, le=65535, description="Port of the gRPC server, where the service has one.")
    request_timeout: float = Field(
        30.0,
        gt=0,
        le=600,
        validation_alias=AliasChoices("REQUEST_TIMEOUT", "REQUEST_TIMEOUT_SECONDS", "request_timeout"),
        description="Seconds that one request between processes may take.",
    )
    max_workers: int = Field(4, ge=1, le=256, description="Work done at once; each service says what it bounds.")
    drain_seconds: float = Field(20.0, ge=0, le=600, description="Longest wait for work in progress at a stop.")
    otel_exporter_otlp_endpoint: str | None = Field(
        None, description="Where traces go (OTLP over gRPC); none: they are not sent."
    )
    test_clock: str | None = Field(
        None, description="File with an offset in seconds, added to the clock of all processes; not in production."
    )
    fault_points: str = Field(
        "", description="Comma-separated points at which the process kills itself (tests); not in production."
    )

    @model_validator(mode="after")
    def check_environment(self) -> Self:
        """Refuse what must not be in production, and weak secrets outside development."""
        problems: list[str] = []
        if self.environment is Environment.PRODUCTION:
            problems += [
                f"{name} must not be set in production"
                for name, value in (("TEST_CLOCK", self.test_clock), ("FAULT_POINTS", self.fault_points))
                if value
            ]
        if self.environment is not Environment.DEVELOPMENT:
            if self.debug:
                problems.append("DEBUG must be false outside development")
            problems += [problem for name in self.required_secrets for problem in self._weakness(name)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _weakness(self, name: str) -> list[str]:
        value = getattr(self, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else (value or "")
        title = name.upper()
        if not text:
            return [f"{title} is missing: {self.environment.value} needs it"]
        if len(text) < MIN_SECRET_CHARACTERS or len(set(text)) < MIN_DISTINCT_CHARACTERS:
            return [f"{title} is too weak: use {MIN_SECRET_CHARACTERS} or more random characters"]
        return []

    def ignored_settings(self) -> list[str]:
        """Name the settings of later work that are set although nothing reads them yet."""
        present = {name.upper() for name, value in os.environ.items() if value}
        return [name for name in self.not_used_yet if name in present]


class DatabaseSettings(BaseServiceSettings):
    """For services that keep truth in PostgreSQL."""

    database_url: SecretStr = Field(
        SecretStr("postgresql://localhost:5432/coaching_dev"), description="PostgreSQL, as the service's own role."
    )
    database_pool_size: int = Field(
        default_factory=by_environment(20, 20, 50), ge=1, description="Connections kept open."
    )
    database_max_overflow: int = Field(
        default_factory=by_environment(30, 30, 100), ge=0, description="Connections above the pool under load."
    )


class NatsSettings(BaseServiceSettings):
    """For services that talk over NATS."""

    nats_url: SecretStr = Field(SecretStr("nats://localhost:4222"), description="NATS server, with its credentials.")


class RedisSettings(BaseServiceSettings):
    """For services that keep what may be lost in Redis."""

    redis_url: SecretStr = Field(SecretStr("redis://localhost:6379/0"), description="Redis server, with its password.")
    redis_max_connections: int = Field(100, ge=1, description="Connections to Redis at most.")


S = TypeVar("S", bound=BaseServiceSettings)


def chosen_environment() -> str:
    """Return the raw name of the environment, from the process or `.env`."""
    for source in (os.environ, dotenv_values(".env")):
        for name, value in source.items():
            if name.upper() == "ENVIRONMENT" and value:
                return value.strip().lower()
    return Environment.DEVELOPMENT.value


def load(kind: type[S]) -> S:
    """Read the settings; the process's environment wins over `.env.<environment>`, that over `.env`.

    Raises SettingsError, with a text that names every wrong setting and holds no value.
    """
    name = chosen_environment()
    if name not in set(Environment):
        raise SettingsError(f"ENVIRONMENT is not known; use one of: {', '.join(Environment)}")
    try:
        return kind(_env_file=(".env", f".env.{name}"), environment=Environment(name))
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']).upper() or 'settings'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("; ".join(lines)) from None
