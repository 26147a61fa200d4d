"""A kind of channel, as the registry lists it, and a connected account of it, as the use cases see it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import Field, SecretStr

from channel_adapter.app.ports import (
    Connector,
    FileSource,
    Live,
    Poller,
    PressAnswerer,
    Receiver,
    Sender,
    Typist,
)
from channel_adapter.domain.abilities import Abilities
from kit.clock import Clock
from kit.settings import BaseServiceSettings


class ChannelSettings(BaseServiceSettings):
    """What every channel may read; a channel's own settings class builds on it."""

    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+(/[^\s]*)?$",
        description="Address under which providers reach the platform; none: updates are fetched (long polling).",
    )
    secret_key: SecretStr | None = Field(None, description="What secrets that were not set are derived from.")


S = TypeVar("S", bound=ChannelSettings)


@dataclass(frozen=True, slots=True)
class Connection:
    """One account of a channel; the optional parts are there where the channel's abilities say so."""

    channel: str
    account: str
    organization_id: str
    abilities: Abilities
    receiver: Receiver
    sender: Sender
    connector: Connector | None = None
    poller: Poller | None = None
    files: FileSource | None = None
    typist: Typist | None = None
    presses: PressAnswerer | None = None

    @property
    def endpoint(self) -> tuple[str, str]:
        """What names the account everywhere."""
        return (self.channel, self.account)


Connections = Mapping[tuple[str, str], Connection]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a channel may need of the platform to open its accounts."""

    organization_id: str
    live: Live
    clock: Clock
    on_close: Callable[[Callable[[], Awaitable[None]]], None]
    """Registers an async function that closes a part at the end of the process."""


@dataclass(frozen=True, slots=True)
class ChannelKind(Generic[S]):
    """A channel: its abilities, the settings that are its own, and how its configured accounts are opened."""

    abilities: Abilities
    settings: type[S]
    open: Callable[[S, Outside], Sequence[Connection]]


def by_endpoint(connections: Iterable[Connection]) -> Connections:
    """Return the connections by (channel, account)."""
    return {connection.endpoint: connection for connection in connections}
