"""The last word on proactive messages: what one of them does to the next, and what is taken back."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from coaching.domain.check_ins import CatchUp
from coaching.domain.deliveries import Delivery, Drop, Hold, Kind, Send, State
from coaching.domain.last_word import LOOK_AGAIN, LastWord, Outgoing, last_words
from coaching.domain.proactive import Channel, History, Limits, Occasion, Person
from coaching.domain.quiet_hours import QuietHours

NOW = datetime(2026, 5, 6, 10, tzinfo=UTC)
LIMITS = Limits(1, 15, timedelta(minutes=10))
PERSON = Person("UTC", QuietHours(time(21), time(8)), True, False, None, False)
ITEM = Outgoing("d1", "p", Occasion(NOW, CatchUp.ONCE), PERSON, Channel(False), History((), None, False), "n1")
ROW = Delivery("d1", Kind.PROACTIVE, State.PLANNED)


def word(row: Delivery = ROW, item: Outgoing = ITEM) -> LastWord:
    return last_words([row], {row.delivery_id: item}, (NOW,), LIMITS)[row.delivery_id]


def test_it_may_leave() -> None:
    assert (word().decision, word().withdrawn) == (Send(), False)


def test_what_may_leave_counts_for_the_next_of_the_same_person() -> None:
    rows = [replace(ROW, delivery_id=name) for name in ("d1", "d2", "d3")]
    items = {
        "d1": ITEM,
        "d2": replace(ITEM, delivery_id="d2", nudge_id="n2"),
        "d3": replace(ITEM, delivery_id="d3", nudge_id="n3", person_id="somebody else"),
    }
    found = last_words(rows, items, (NOW,), LIMITS)
    assert [found[name].decision for name in items] == [Send(), Drop("day_cap"), Send()]


def test_a_hold_takes_it_back_and_is_looked_at_again_not_too_soon() -> None:
    found = word(item=replace(ITEM, occasion=Occasion(NOW + timedelta(seconds=1), CatchUp.ONCE)))
    assert found.decision == Hold(NOW + timedelta(seconds=1), "not_yet")
    assert (found.withdrawn, found.look_at) == (True, NOW + LOOK_AGAIN)


@pytest.mark.parametrize(
    ("row", "item"),
    [
        (replace(ROW, parts_accepted=1), replace(ITEM, person=replace(PERSON, stopped=True))),
        (ROW, replace(ITEM, nudge_id="", person=replace(PERSON, stopped=True))),
    ],
)
def test_what_was_sent_in_part_or_has_no_nudge_is_dropped_and_not_taken_back(row: Delivery, item: Outgoing) -> None:
    assert (word(row, item).decision, word(row, item).withdrawn) == (Drop("stopped"), False)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.UNKNOWN, State.DROPPED, State.IN_FLIGHT])
def test_what_is_over_or_may_have_been_sent_is_not_decided_again(state: State) -> None:
    found = word(replace(ROW, state=state))
    assert isinstance(found.decision, Drop)
    assert (found.withdrawn, dict(found.facts)) == (False, {})


def test_what_is_too_old_is_over_with_its_nudge() -> None:
    found = word(replace(ROW, not_after=NOW - timedelta(seconds=1)))
    assert (found.decision, found.withdrawn, found.look_at) == (Drop("stale"), True, None)


def test_a_check_in_that_is_gone_takes_its_message_along() -> None:
    found = word(item=replace(ITEM, refused="check_in_removed"))
    assert (found.decision, found.withdrawn) == (Drop("check_in_removed"), True)
