"""What every embedded server has in common: how it is launched, when it is ready, how it is stopped."""

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class PartError(Exception):
    """A part cannot run. The text says what is wrong and what to do; it never holds a secret."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that a server runs as; only used when the caller is root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Launch:
    """All that is needed to start one process of a part and to stop it again.

    `account` None keeps the caller's user. `stop_signal` asks for a clean end; after `stop_seconds` it may be killed.
    """

    command: tuple[str, ...]
    log_path: Path
    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0


class Part(Protocol):
    """One embedded server: prepare(), spawn what launch() says, wait for ready(); the same again when it has died."""

    @property
    def name(self) -> str:
        """The part's word in messages, log files and secrets: postgres, nats or valkey."""

    @property
    def port(self) -> int:
        """The loopback port that it listens on."""

    @property
    def url(self) -> str:
        """Where clients find it, credentials included; never to be logged."""

    async def prepare(self) -> None:
        """Make what the server needs before it starts. Repeatable: called before every start. Raises PartError."""

    def launch(self) -> Launch:
        """How to start it. Call prepare() before."""

    async def ready(self) -> bool:
        """True when the server has answered a real request; never raises for a server that is not up yet."""
