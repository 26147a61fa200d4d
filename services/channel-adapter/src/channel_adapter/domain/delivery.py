"""What becomes of a message that is to be sent, and of each way in which sending it can go wrong."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Lane(StrEnum):
    """The two kinds of outgoing messages; a reply never waits behind a broadcast."""

    REPLY = "reply"
    PROACTIVE = "proactive"


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to one person."""

    organization_id: str
    delivery_id: str
    lane: Lane
    channel: str
    account: str
    address: str
    text: str
    message_id: str
    turn_id: str
    source: str
    created_at: datetime
    not_after: datetime | None = None

    @property
    def endpoint(self) -> tuple[str, str]:
        """The account that sends."""
        return (self.channel, self.account)

    @property
    def chat(self) -> tuple[str, str, str]:
        """The conversation whose order is kept."""
        return (self.channel, self.account, self.address)


class State(StrEnum):
    """The delivery states that this service reports."""

    PLANNED = "planned"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Send:
    """The claim is ours: send, under this token, going on after the parts that were accepted before."""

    token: int
    parts_accepted: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now; ask again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """Never send this."""


Decision = Send | Hold | Drop


@dataclass(frozen=True, slots=True)
class Report:
    """One step forward of one delivery."""

    organization_id: str
    delivery_id: str
    token: int
    state: State
    provider_message_id: str = ""
    reason: str = ""
    not_before: datetime | None = None
    parts_accepted: int = 0
    recipient_gone: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The message can leave the queue."""


@dataclass(frozen=True, slots=True)
class Again:
    """The message comes back after `seconds`."""

    seconds: float


Settlement = Done | Again


class Problem(StrEnum):
    """Every way in which a provider call fails: one closed set, decided at the channel's edge."""

    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    """No connection came about: nothing of the request was sent."""
    CREDENTIALS_REFUSED = "credentials_refused"
    CONFLICT = "conflict"
    """Somebody else fetches the updates of this account."""
    RECIPIENT_GONE = "recipient_gone"
    """The person blocked the account or deleted their own: an opt-out."""
    RECIPIENT_UNKNOWN = "recipient_unknown"
    REJECTED = "rejected"
    """The provider understood the request and refuses it for ever."""
    ANSWER_LOST = "answer_lost"
    """The request was written, and no answer came: it may have been carried out."""
    PROVIDER_FAILED = "provider_failed"
    """The provider broke down on it (5xx): it may have been carried out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a problem means for the delivery, for the account, and for the operator."""

    state: State
    pause_seconds: float = 0.0
    """How long the whole account rests where the provider gave no time itself."""
    page: bool = False
    """Somebody has to act; otherwise it heals, or is the person's own doing."""
    recipient_gone: bool = False


VERDICTS: dict[Problem, Verdict] = {
    Problem.RATE_LIMITED: Verdict(State.PLANNED, pause_seconds=5),
    Problem.UNREACHABLE: Verdict(State.PLANNED, pause_seconds=5),
    Problem.CREDENTIALS_REFUSED: Verdict(State.PLANNED, pause_seconds=60, page=True),
    Problem.CONFLICT: Verdict(State.PLANNED, pause_seconds=5),
    Problem.RECIPIENT_GONE: Verdict(State.FAILED, recipient_gone=True),
    Problem.RECIPIENT_UNKNOWN: Verdict(State.FAILED),
    Problem.REJECTED: Verdict(State.FAILED, page=True),
    # Sending is not idempotent, so what may have arrived is never sent again on a guess.
    Problem.ANSWER_LOST: Verdict(State.UNKNOWN),
    Problem.PROVIDER_FAILED: Verdict(State.UNKNOWN),
}


class ProviderError(Exception):
    """A provider call failed. Carries no text of the provider: that may quote addresses or the message."""

    def __init__(self, problem: Problem, retry_after_seconds: float = 0.0) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    @property
    def verdict(self) -> Verdict:
        """What to do about it."""
        return VERDICTS[self.problem]

    @property
    def pause_seconds(self) -> float:
        """How long the account rests: the provider's own time, else the problem's."""
        return self.retry_after_seconds or self.verdict.pause_seconds
