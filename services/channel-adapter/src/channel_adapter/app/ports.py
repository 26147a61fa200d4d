"""What the use cases need from outside: the parts that a channel brings, and the rest of the platform."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from channel_adapter.domain.delivery import Decision, Outbound, Report
from channel_adapter.domain.messages import Event, KeptFile, Parsed, RawRequest, RemoteFile

# ------------------------------------------------------------------ what a channel brings


class Receiver(Protocol):
    """Understands the provider's requests."""

    def verify(self, request: RawRequest) -> None:
        """Raise RefusedError where the request does not come from the provider."""

    def parse(self, request: RawRequest) -> Parsed:
        """Return what the body holds; raises RefusedError(400) where it is not a payload of this provider."""


class Sender(Protocol):
    """Sends to a person."""

    async def send(self, message: Outbound, part: str) -> str:
        """Send one part of a message's text and return the provider's id for it; raises ProviderError."""


class Connector(Protocol):
    """Makes the account ready."""

    async def connect(self, webhook_url: str | None) -> None:
        """Check the credentials, and have updates sent to `webhook_url`; None: they will be fetched.

        Never throws away updates that wait at the provider. Raises ProviderError.
        """


@dataclass(frozen=True, slots=True)
class Polled:
    """Fetched updates, and the position that says "these are stored" at the next fetch."""

    updates: tuple[Parsed, ...]
    position: int


class Poller(Protocol):
    """Fetches updates where no webhook can be reached."""

    async def poll(self, position: int) -> Polled:
        """Wait for updates from `position` on (0: the provider's own); raises ProviderError."""


class FileSource(Protocol):
    """Fetches what people sent."""

    async def download(self, file: RemoteFile, limit_bytes: int) -> bytes:
        """Return the content; raises FileRefusedError, or ProviderError."""


class Typist(Protocol):
    """Shows that the coach is writing."""

    async def show_typing(self, address: str) -> None:
        """Show it for a few seconds; raises ProviderError."""


class PressAnswerer(Protocol):
    """Acknowledges button presses."""

    async def answer_press(self, press_id: str) -> None:
        """Stop the button's spinner; raises ProviderError."""


# ------------------------------------------------------------------ the rest of the platform


class InboundUnavailableError(Exception):
    """The stream has not stored the events; nothing may be acknowledged."""


class Inbound(Protocol):
    """The stream of incoming events."""

    async def publish(self, events: Sequence[Event]) -> Set[str]:
        """Publish in order, all acknowledged together; return the unique ids of those that are stored."""


class DeadLetters(Protocol):
    """Messages that no version of this service can use, kept to be looked at."""

    async def keep(self, payload: bytes, unique_id: str) -> bool:
        """Return whether it is stored."""


class Live(Protocol):
    """What connected pages show at once; may be lost."""

    async def show(self, message: Outbound) -> None:
        """Show a finished message; raises ProviderError where it cannot even be handed over."""


class CoachingUnavailableError(Exception):
    """Coaching gave no answer; whether it did what was asked is not known."""


class Deliveries(Protocol):
    """Who decides about deliveries, and keeps their states."""

    async def claim(self, messages: Sequence[Outbound]) -> list[Decision]:
        """Return one decision per message, in order; raises CoachingUnavailableError."""

    async def report(self, reports: Sequence[Report]) -> list[bool]:
        """Return, per report, whether it was applied; raises CoachingUnavailableError."""


class FileFault(StrEnum):
    """Why a file store does not take or give content; all but UNREACHABLE need somebody to change something."""

    ADDRESS = "address"
    BUCKET = "bucket"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class FileStoreError(Exception):
    """The file store did not take or give the content."""

    def __init__(self, fault: FileFault = FileFault.UNREACHABLE) -> None:
        super().__init__(fault.value)
        self.fault = fault


class FileStore(Protocol):
    """Immutable content, named by its SHA-256 within an organisation."""

    async def put(self, organization_id: str, sha256: str, content: bytes) -> None:
        """Store the content, complete or not at all; storing it again changes nothing. Raises FileStoreError."""

    async def get(self, organization_id: str, sha256: str) -> bytes | None:
        """Return the content, or None where there is none; raises FileStoreError."""

    async def delete(self, organization_id: str, sha256: str) -> None:
        """Remove the content, if it is there; raises FileStoreError."""

    async def check(self) -> None:
        """Store and delete an empty object of no organisation; raises FileStoreError."""


class RecordsUnavailableError(Exception):
    """The database did not answer, or refused."""


class FileRecords(Protocol):
    """The rows that name stored files."""

    async def add(self, organization_id: str, channel: str, account: str, file: KeptFile) -> None:
        """Name a stored file; naming it again changes nothing. Raises RecordsUnavailableError."""


class AccountTakenError(Exception):
    """The account belongs to another organisation."""


class Accounts(Protocol):
    """The accounts that this platform serves."""

    async def register(self, organization_id: str, channel: str, account: str) -> None:
        """Note an account; raises AccountTakenError and RecordsUnavailableError."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fetch the updates of one account until it is renewed no more."""

    organization_id: str
    channel: str
    account: str
    token: int
    """Rises with each owner: what an earlier owner still writes is refused."""
    position: int
    """Where fetching goes on."""


class Leases(Protocol):
    """At most one process fetches the updates of an account. Times are the database's own."""

    async def acquire(self, organization_id: str, channel: str, account: str) -> Lease | None:
        """Take the lease, if nobody holds it; raises RecordsUnavailableError."""

    async def renew(self, lease: Lease) -> bool:
        """Hold it longer; False: it is lost. Raises RecordsUnavailableError."""

    async def advance(self, lease: Lease, position: int) -> bool:
        """Note where fetching goes on, and hold the lease longer; False: it is lost. Raises RecordsUnavailableError."""

    async def release(self, lease: Lease) -> None:
        """Give it back, so that another process need not wait; raises RecordsUnavailableError."""
