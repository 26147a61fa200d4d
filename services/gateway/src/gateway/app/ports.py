"""What the gateway needs from outside. Each port raises Refused and nothing else: UNAVAILABLE, TIMED_OUT, INVALID."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gateway.domain.check_ins import Added, CheckIn, NewCheckIn, QuietHours, QuietHoursSet, Schedule
from gateway.domain.conversation import History, LiveEvent
from gateway.domain.limits import Bucket, Verdict
from gateway.domain.sessions import GuestId, Session
from gateway.domain.webhooks import Answer, RawRequest


class Inbound(Protocol):
    """Takes requests of channels in."""

    async def receive(self, request: RawRequest, timeout_seconds: float) -> Answer:
        """Hand one request to its channel; an answer of 200 means that what it holds is stored."""


class Conversations(Protocol):
    """What was said."""

    async def history(self, guest_id: GuestId, before: str, limit: int, timeout_seconds: float) -> History:
        """Return up to `limit` messages before the message `before` ("" for the newest), oldest first."""


class CheckIns(Protocol):
    """When the coach writes first.

    Also raises NOT_KNOWN_YET (the guest has not written yet), NOT_FOUND (no such check-in), NOT_POSSIBLE (with what to
    correct) and TOO_MANY.
    """

    async def schedule(self, guest_id: GuestId, timeout_seconds: float) -> Schedule:
        """Return the guest's check-ins, oldest first; an empty schedule for somebody who has not written yet."""

    async def add(self, guest_id: GuestId, new: NewCheckIn, timeout_seconds: float) -> Added:
        """Add a check-in, once for each request id; its time zone becomes the guest's."""

    async def pause(self, guest_id: GuestId, check_in_id: str, paused: bool, timeout_seconds: float) -> CheckIn:
        """Pause a check-in, or let it go on with its next time."""

    async def remove(self, guest_id: GuestId, check_in_id: str, timeout_seconds: float) -> None:
        """Remove a check-in."""

    async def set_quiet_hours(
        self, guest_id: GuestId, quiet_hours: QuietHours, time_zone: str, timeout_seconds: float
    ) -> QuietHoursSet:
        """Set the hours in which nothing is written first, and the guest's time zone."""


class LiveEvents(Protocol):
    """What happens in a guest's conversation right now; events may be lost, the history is the truth."""

    def listen(self, guest_id: GuestId, sink: Callable[[LiveEvent], None]) -> AbstractAsyncContextManager[None]:
        """Call `sink` for each event while the context is open; nothing that happens after entering it is missed."""


class RateLimiter(Protocol):
    """Counts; never raises, because a limiter that is down must not keep people from their coach."""

    async def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Take a token from each bucket that has one; allowed only where all had."""


class Tokens(Protocol):
    """Short-lived signed tokens."""

    def issue(self, session: Session) -> str:
        """Return a token that says who acts until when."""

    def read(self, token: str) -> Session | None:
        """Return what a token says; None for one that is forged, damaged or expired."""
