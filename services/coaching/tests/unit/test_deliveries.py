"""A delivery only ever moves forward, and a call that may have been made is never made again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coaching.domain.deliveries import (
    SENT,
    Delivery,
    Drop,
    Hold,
    Kind,
    Report,
    Send,
    State,
    claimed,
    receipted,
    reported,
    standing,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)
RANK = {
    State.PLANNED: 0, State.CLAIMED: 1, State.IN_FLIGHT: 2, State.UNKNOWN: 3, State.ACCEPTED: 4, State.DELIVERED: 5,
    State.READ: 6, State.FAILED: 7, State.DROPPED: 7,
}  # fmt: skip


def delivery(state: State, **fields: object) -> Delivery:
    return replace(Delivery("d", Kind.REPLY, state, token=3), **fields)  # type: ignore[arg-type]  # names checked by replace


@pytest.mark.parametrize(
    ("row", "decision"),
    [
        (delivery(State.PLANNED), Send()),
        (delivery(State.PLANNED, not_before=LATER), Hold(LATER, "not_yet")),
        (delivery(State.PLANNED, not_after=NOW - timedelta(seconds=1)), Drop("stale")),
        (delivery(State.CLAIMED, leased=True, lease_until=LATER), Hold(LATER, "claimed_elsewhere")),
        (delivery(State.CLAIMED), Send()),
        (delivery(State.IN_FLIGHT, leased=True, lease_until=LATER), Hold(LATER, "claimed_elsewhere")),
        (delivery(State.IN_FLIGHT), Drop("unknown")),
        (delivery(State.UNKNOWN), Drop("unknown")),
        (delivery(State.ACCEPTED), Drop("already_sent")),
        (delivery(State.DELIVERED), Drop("already_sent")),
        (delivery(State.READ), Drop("already_sent")),
        (delivery(State.FAILED), Drop("failed")),
        (delivery(State.DROPPED), Drop("dropped")),
    ],
)
def test_a_claim_by_state(row: Delivery, decision: object) -> None:
    assert standing(row, NOW) == decision


def test_a_claim_raises_the_token_and_in_flight_without_a_sender_becomes_unknown() -> None:
    assert claimed(delivery(State.PLANNED), Send()) == delivery(State.CLAIMED, token=4)
    lost = claimed(delivery(State.IN_FLIGHT), Drop("unknown"))
    assert (lost.state, lost.reason, lost.token) == (State.UNKNOWN, "lease_expired", 3)
    assert claimed(delivery(State.PLANNED), Drop("stopped")).state is State.DROPPED
    assert claimed(delivery(State.ACCEPTED), Drop("already_sent")) == delivery(State.ACCEPTED)


@given(st.sampled_from(State), st.sampled_from(State), st.integers(0, 5))
def test_an_old_token_changes_nothing(state: State, said: State, token: int) -> None:
    if token != 3:
        assert reported(delivery(state), Report("d", token, said)) is None


@pytest.mark.parametrize(
    ("kind", "state", "leased", "applied"),
    [
        (Kind.REPLY, State.CLAIMED, True, True),
        (Kind.REPLY, State.CLAIMED, False, False),
        (Kind.REPLY, State.IN_FLIGHT, False, True),
        (Kind.REPLY, State.UNKNOWN, False, True),
        (Kind.PROACTIVE, State.CLAIMED, True, True),
        (Kind.PROACTIVE, State.CLAIMED, False, False),
        (Kind.PROACTIVE, State.IN_FLIGHT, True, True),
        (Kind.PROACTIVE, State.IN_FLIGHT, False, False),
        (Kind.PROACTIVE, State.UNKNOWN, False, False),
    ],
)
def test_a_sender_that_heard_nothing_may_begin_a_reply_and_asks_anew_for_what_coaching_decides(
    kind: Kind, state: State, leased: bool, applied: bool
) -> None:
    after = reported(delivery(state, kind=kind, leased=leased), Report("d", 3, State.IN_FLIGHT))
    assert (after is not None and after.state is State.IN_FLIGHT) == applied


def test_parts_never_shrink_and_the_provider_id_stays() -> None:
    row = delivery(State.IN_FLIGHT, parts_accepted=2, provider_message_id="p2")
    after = reported(row, Report("d", 3, State.PLANNED, reason="rate_limited", not_before=LATER, parts_accepted=1))
    assert after is not None
    assert (after.parts_accepted, after.provider_message_id, after.not_before) == (2, "p2", LATER)


@given(st.lists(st.sampled_from([State.DELIVERED, State.READ, State.FAILED]), max_size=6))
def test_receipts_in_any_order_only_move_forward(receipts: list[State]) -> None:
    state = State.ACCEPTED
    for receipt in receipts:
        after = receipted(state, receipt)
        assert RANK[after] >= RANK[state]
        state = after


class DeliveryLife(RuleBasedStateMachine):
    """Senders that crash, come back late and lie; at most one call may be under way, and none after an unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.row = Delivery("d", Kind.REPLY, State.PLANNED)
        self.calls_begun: list[int] = []

    def move(self, after: Delivery) -> None:
        back = after.state is State.PLANNED or (self.row.state, after.state) == (State.UNKNOWN, State.IN_FLIGHT)
        assert back or RANK[after.state] >= RANK[self.row.state] or after.token > self.row.token
        assert after.token >= self.row.token
        self.row = after

    @rule()
    def claim(self) -> None:
        decision = standing(self.row, NOW)
        after = claimed(self.row, decision)
        if isinstance(decision, Send):
            assert self.row.state in (State.PLANNED, State.CLAIMED)
            after = replace(after, leased=True, lease_until=LATER)
        self.move(after)

    @precondition(lambda self: self.row.leased)
    @rule()
    def lease_ends(self) -> None:
        self.row = replace(self.row, leased=False)

    @rule(
        age=st.integers(0, 2),
        state=st.sampled_from([State.IN_FLIGHT, State.ACCEPTED, State.FAILED, State.UNKNOWN, State.PLANNED]),
    )
    def report(self, age: int, state: State) -> None:
        before = self.row
        after = reported(self.row, Report("d", self.row.token - age, state))
        if after is None:
            return
        assert age == 0
        if state is State.IN_FLIGHT and before.state is State.CLAIMED:
            self.calls_begun.append(after.token)
        if state is State.PLANNED:
            # The provider said for certain that it has not taken it: that call does not count.
            self.calls_begun = [token for token in self.calls_begun if token != after.token]
        self.move(replace(after, leased=state is State.IN_FLIGHT, lease_until=LATER))

    @rule(state=st.sampled_from([State.DELIVERED, State.READ, State.FAILED]))
    def receipt(self, state: State) -> None:
        self.move(replace(self.row, state=receipted(self.row.state, state)))

    @invariant()
    def at_most_one_call_may_have_arrived(self) -> None:
        assert len(self.calls_begun) <= 1

    @invariant()
    def what_was_sent_was_called(self) -> None:
        if self.row.state in SENT:
            assert self.calls_begun


TestDeliveryLife = DeliveryLife.TestCase
