"""What channel-adapter needs from outside, in memory; held to the same suites as the real parts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

from channel_adapter.app.ports import (
    AccountTakenError,
    CoachingUnavailableError,
    FileStoreError,
    Lease,
    RecordsUnavailableError,
)
from channel_adapter.domain.delivery import (
    Decision,
    Drop,
    Hold,
    Lane,
    Outbound,
    ProviderError,
    Report,
    Send,
    State,
)
from channel_adapter.domain.messages import Event, KeptFile
from kit.clock import FixedClock

ORGANIZATION = "00000000-0000-7000-8000-000000000001"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def clock() -> FixedClock:
    """A clock that stands at a Monday noon."""
    return FixedClock(NOON)


class MemoryInbound:
    """INBOUND, with the duplicate window that never ends."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.available = True
        self.lost: set[str] = set()
        """Unique ids of events that are not stored."""
        self.windows: list[int] = []

    async def publish(self, events: Sequence[Event]) -> Set[str]:
        self.windows.append(len(events))
        stored = [event for event in events if self.available and event.unique_id not in self.lost]
        for event in stored:
            self.events.setdefault(event.unique_id, event)
        return {event.unique_id for event in stored}


class MemoryFileStore:
    """Content by organisation and name."""

    def __init__(self) -> None:
        self.content: dict[tuple[str, str], bytes] = {}
        self.available = True

    async def put(self, organization_id: str, sha256: str, content: bytes) -> None:
        await self.check()
        self.content[organization_id, sha256] = content

    async def get(self, organization_id: str, sha256: str) -> bytes | None:
        await self.check()
        return self.content.get((organization_id, sha256))

    async def delete(self, organization_id: str, sha256: str) -> None:
        await self.check()
        self.content.pop((organization_id, sha256), None)

    async def check(self) -> None:
        if not self.available:
            raise FileStoreError


class MemoryRecords:
    """Accounts and files."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str, str, KeptFile]] = []
        self.accounts: dict[tuple[str, str], str] = {}
        self.available = True

    async def add(self, organization_id: str, channel: str, account: str, file: KeptFile) -> None:
        self._check()
        if not any(known[0] == organization_id and known[3].sha256 == file.sha256 for known in self.files):
            self.files.append((organization_id, channel, account, file))

    async def register(self, organization_id: str, channel: str, account: str) -> None:
        self._check()
        if self.accounts.setdefault((channel, account), organization_id) != organization_id:
            raise AccountTakenError

    def _check(self) -> None:
        if not self.available:
            raise RecordsUnavailableError


@dataclass
class _Held:
    token: int
    expires_at: float
    position: int


class MemoryLeases:
    """Leases that run out by a clock that tests move."""

    def __init__(self, time: FixedClock, hold_seconds: float, shared: "MemoryLeases | None" = None) -> None:
        self._time = time
        self._hold = hold_seconds
        self.held: dict[tuple[str, str], _Held] = shared.held if shared else {}
        self.available = True

    def _check(self) -> None:
        if not self.available:
            raise RecordsUnavailableError

    async def acquire(self, organization_id: str, channel: str, account: str) -> Lease | None:
        self._check()
        now = self._time.monotonic()
        held = self.held.setdefault((channel, account), _Held(0, now, 0))
        if held.expires_at > now:
            return None
        held.token += 1
        held.expires_at = now + self._hold
        return Lease(organization_id, channel, account, held.token, held.position)

    def _mine(self, lease: Lease) -> _Held | None:
        self._check()
        held = self.held[lease.channel, lease.account]
        return held if held.token == lease.token and held.expires_at > self._time.monotonic() else None

    async def renew(self, lease: Lease) -> bool:
        held = self._mine(lease)
        if held is not None:
            held.expires_at = self._time.monotonic() + self._hold
        return held is not None

    async def advance(self, lease: Lease, position: int) -> bool:
        held = self._mine(lease)
        if held is not None:
            held.position = position
        return held is not None and await self.renew(lease)

    async def release(self, lease: Lease) -> None:
        held = self._mine(lease)
        if held is not None:
            held.expires_at = self._time.monotonic()


@dataclass
class Delivery:
    """A delivery as coaching keeps it."""

    state: State = State.PLANNED
    token: int = 0
    parts_accepted: int = 0
    decision: Decision | None = None
    """What the next claims get instead of the claim."""
    history: list[Report] = field(default_factory=list)


FINAL = {State.ACCEPTED, State.FAILED, State.UNKNOWN}


class MemoryDeliveries:
    """Coaching's side of deliveries: fencing tokens, states that only go forward, lists in and out."""

    def __init__(self) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.available = True
        self.claims: list[int] = []
        self.reports: list[int] = []
        self.report_gate = asyncio.Event()
        self.report_gate.set()

    def of(self, message: Outbound) -> Delivery:
        """Return the delivery of a message."""
        return self.deliveries.setdefault(message.delivery_id, Delivery())

    async def claim(self, messages: Sequence[Outbound]) -> list[Decision]:
        if not self.available:
            raise CoachingUnavailableError
        self.claims.append(len(messages))
        return [self.claim_one(message.delivery_id) for message in messages]

    def claim_one(self, delivery_id: str) -> Decision:
        """Decide about one delivery."""
        delivery = self.deliveries.setdefault(delivery_id, Delivery())
        if delivery.decision is not None:
            return delivery.decision
        if delivery.state in FINAL:
            return Drop()
        if delivery.state is State.IN_FLIGHT:
            return Hold(NOON)
        delivery.token += 1
        return Send(delivery.token, delivery.parts_accepted)

    async def report(self, reports: Sequence[Report]) -> list[bool]:
        await self.report_gate.wait()
        if not self.available:
            raise CoachingUnavailableError
        self.reports.append(len(reports))
        return [self.report_one(report) for report in reports]

    def report_one(self, report: Report) -> bool:
        """Move one delivery forward."""
        delivery = self.deliveries.setdefault(report.delivery_id, Delivery())
        if report.token != delivery.token or delivery.state in FINAL:
            return False
        delivery.state = report.state
        delivery.parts_accepted = max(delivery.parts_accepted, report.parts_accepted)
        delivery.history.append(report)
        return True

    @property
    def in_flight(self) -> int:
        """How many are in flight now."""
        return sum(1 for delivery in self.deliveries.values() if delivery.state is State.IN_FLIGHT)


class MemorySender:
    """A provider that keeps what it was sent, and fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.failures: list[ProviderError] = []
        self.before: Callable[[], Awaitable[object]] | None = None
        self.now = 0
        self.most = 0

    async def send(self, message: Outbound, part: str) -> str:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.before is not None:
                await self.before()
            if self.failures:
                raise self.failures.pop(0)
            self.sent.append((message.address, part))
            return str(len(self.sent))
        finally:
            self.now -= 1

    def texts(self, address: str) -> list[str]:
        """Return what reached one address, in order."""
        return [text for to, text in self.sent if to == address]


def outbound(number: int = 1, **changes: object) -> Outbound:
    """Return a message to send."""
    values: dict[str, object] = {
        "organization_id": ORGANIZATION,
        "delivery_id": f"delivery-{number}",
        "lane": Lane.REPLY,
        "channel": "telegram",
        "account": "1000",
        "address": "7",
        "text": f"Answer {number}.",
        "message_id": f"message-{number}",
        "turn_id": f"turn-{number}",
        "source": "model",
        "created_at": NOON,
    }
    return Outbound(**(values | changes))  # type: ignore[arg-type]  # the test's own words
