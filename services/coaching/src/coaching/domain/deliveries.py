"""The life of one delivery: which states follow which, and what a claim or a report does. Only ever forward."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands. `unknown`: the call may have reached the provider, and nobody knows."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    IN_FLIGHT = "in_flight"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DROPPED = "dropped"


class Kind(StrEnum):
    """Why a delivery exists."""

    REPLY = "reply"
    PROACTIVE = "proactive"


# What a report of the sender may do. PLANNED gives a claim back: the provider said later, so nothing was sent.
BY_REPORT: dict[State, frozenset[State]] = {
    State.CLAIMED: frozenset({State.IN_FLIGHT, State.PLANNED, State.FAILED}),
    State.IN_FLIGHT: frozenset({State.IN_FLIGHT, State.ACCEPTED, State.FAILED, State.UNKNOWN, State.PLANNED}),
    # The sender came back after its lease had ended: what it knows settles the question. In flight: it heard no answer
    # to that report, so it has not called yet.
    State.UNKNOWN: frozenset({State.IN_FLIGHT, State.ACCEPTED, State.FAILED}),
}
# What a receipt of the provider may do; receipts come in any order.
BY_RECEIPT: dict[State, frozenset[State]] = {
    State.IN_FLIGHT: frozenset({State.DELIVERED, State.READ, State.FAILED}),
    State.UNKNOWN: frozenset({State.DELIVERED, State.READ, State.FAILED}),
    State.ACCEPTED: frozenset({State.DELIVERED, State.READ, State.FAILED}),
    State.DELIVERED: frozenset({State.READ}),
}
SENT = frozenset({State.ACCEPTED, State.DELIVERED, State.READ})
NEVER_SENT_AGAIN = SENT | {State.FAILED, State.UNKNOWN, State.DROPPED}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one address."""

    delivery_id: str
    kind: Kind
    state: State
    token: int = 0
    leased: bool = False  # somebody's claim has not ended, by the database's clock
    lease_until: datetime | None = None
    parts_accepted: int = 0
    not_before: datetime | None = None
    not_after: datetime | None = None
    provider_message_id: str = ""
    reason: str = ""
    overtakes: bool = False  # an earlier reply of its conversation is still on its way, by another sender


@dataclass(frozen=True, slots=True)
class Send:
    """Send it now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Ask again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Never send it; `reason` is a word of a closed set."""

    reason: str


Decision = Send | Hold | Drop


@dataclass(frozen=True, slots=True)
class Report:
    """What the sender says about a delivery that it claimed under `token`."""

    delivery_id: str
    token: int
    state: State
    provider_message_id: str = ""
    reason: str = ""
    not_before: datetime | None = None
    parts_accepted: int = 0
    recipient_gone: bool = False


def standing(delivery: Delivery, now: datetime) -> Decision:
    """Decide about a claim by the delivery's own state and times; whether one may write first is another matter."""
    if delivery.state in SENT:
        return Drop("already_sent")
    if delivery.state in (State.FAILED, State.UNKNOWN, State.DROPPED):
        return Drop(delivery.state.value)
    if delivery.leased and delivery.lease_until is not None:
        return Hold(delivery.lease_until, "claimed_elsewhere")
    if delivery.state is State.IN_FLIGHT:
        return Drop("unknown")
    return _timely(delivery, now)


def _timely(delivery: Delivery, now: datetime) -> Decision:
    if delivery.not_after is not None and now > delivery.not_after:
        return Drop("stale")
    if delivery.not_before is not None and now < delivery.not_before:
        return Hold(delivery.not_before, "not_yet")
    return Send()


def claimed(delivery: Delivery, decision: Decision) -> Delivery:
    """Return the delivery as a claim with this decision leaves it."""
    match decision:
        case Send():
            return replace(delivery, state=State.CLAIMED, token=delivery.token + 1, reason="")
        case Hold(until, reason) if delivery.state is State.PLANNED:
            return replace(delivery, not_before=until, reason=reason)
        case Drop(reason) if delivery.state is State.IN_FLIGHT:
            return replace(delivery, state=State.UNKNOWN, reason="lease_expired" if reason == "unknown" else reason)
        case Drop(reason) if delivery.state in (State.PLANNED, State.CLAIMED):
            return replace(delivery, state=State.DROPPED, reason=reason)
        case _:
            return delivery


def reported(delivery: Delivery, report: Report) -> Delivery | None:
    """Return the delivery after a report; None where its token is old or the state would go backwards.

    A call that has not begun when the lease ends must be asked for anew: what was decided may not hold any more. Only
    of a reply that was in flight nobody would be asked again, so it may begin.
    """
    if report.token != delivery.token or report.state not in BY_REPORT.get(delivery.state, frozenset()):
        return None
    too_late = not delivery.leased and (delivery.kind is not Kind.REPLY or delivery.state is State.CLAIMED)
    if report.state is State.IN_FLIGHT and too_late:
        return None
    return replace(
        delivery,
        state=report.state,
        parts_accepted=max(delivery.parts_accepted, report.parts_accepted),
        provider_message_id=report.provider_message_id or delivery.provider_message_id,
        reason=report.reason,
        not_before=report.not_before if report.state is State.PLANNED else delivery.not_before,
    )


def receipted(state: State, receipt: State) -> State:
    """Return the state after a provider's receipt; one that says less than is known changes nothing."""
    return receipt if receipt in BY_RECEIPT.get(state, frozenset()) else state
