"""What the gateway needs from outside. Each port raises Refused (UNAVAILABLE, TIMED_OUT, INVALID) and nothing else."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

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
