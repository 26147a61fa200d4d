"""What becomes of a person's check-ins that are due, all of them together."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.check_ins import Activity, CatchUp, CheckIn, Nudge, NudgeState
from coaching.domain.deliveries import Drop, Send
from coaching.domain.dispatching import Case, DueCheckIn, HeldNudge, Place, Plan, Prepared, Rules, plan
from coaching.domain.ids import PersonId
from coaching.domain.proactive import Channel, History, Limits, Person
from coaching.domain.quiet_hours import QuietHours
from coaching.triggers.registry import TRIGGERS

NOW = datetime(2026, 5, 6, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
ME = PersonId("p")
PERSON = Person("UTC", QuietHours(time(21), time(8)), True, False, None, False)
NOTHING = Prepared(None, None, 0, "", "")
CASE = Case(ME, "en", PERSON, Channel(False), History((), None, False), Place("c", "web", "default", "anna"), 1)


def rules() -> Rules:
    numbers = count(1)
    make: Callable[[], str] = lambda: f"n{next(numbers)}"  # noqa: E731  # shorter than its definition
    return Rules(TRIGGERS, Limits(3, 15, timedelta(minutes=10)), make)


def fallen(name: str, due_at: datetime, trigger: str = "scheduled_check_in", **fields: object) -> DueCheckIn:
    check_in = CheckIn(
        name, ME, trigger, "FREQ=DAILY", due_at.time(), "UTC", date(2026, 1, 1), next_due_at=due_at,
        created_at=NOW - timedelta(days=90), after_days=1 if trigger == "inactivity" else 0,
    )  # fmt: skip
    return DueCheckIn(replace(check_in, **fields), Activity(), NOTHING)  # type: ignore[arg-type]  # names checked by replace


def waited(name: str, due_at: datetime, reason: str = "live_conversation", refused: str = "") -> HeldNudge:
    nudge = Nudge(name, f"c-{name}", ME, "scheduled_check_in", CatchUp.ONCE, due_at)
    return HeldNudge(nudge, reason, NOW - timedelta(minutes=1), NOTHING, refused)


def silent(last_message_at: datetime | None = None, last_nudge_at: datetime | None = None) -> HeldNudge:
    """Return a nudge of inactivity that has waited since last night, whose silence began three days ago at most."""
    item = fallen("s", NOW - 12 * HOUR, "inactivity", after_days=3)
    nudge = Nudge("s", "c-s", ME, "inactivity", CatchUp.ONCE, NOW - 12 * HOUR)
    activity = Activity(last_message_at, last_nudge_at)
    return HeldNudge(nudge, "quiet_hours", NOW, NOTHING, check_in=item.check_in, activity=activity)


def states(found: Plan) -> Mapping[str, NudgeState]:
    return {item.nudge.check_in_id: item.state for item in found.judged}


def test_one_that_may_leave_is_dispatched_and_its_check_in_goes_on() -> None:
    found = plan(replace(CASE, due=(fallen("a", NOW - HOUR),)), (NOW,), rules())
    assert found.speaking is not None
    assert found.speaking.nudge == Nudge("n1", "a", ME, "scheduled_check_in", CatchUp.ONCE, NOW - HOUR)
    assert (found.speaking.why["rule"], found.speaking.facts["local_time"]) == ("FREQ=DAILY", "2026-05-06T10:00+00:00")
    [move] = found.moves
    assert (move.was, move.next_due_at) == (NOW - HOUR, NOW + 23 * HOUR)


def test_the_trigger_of_the_lowest_rank_speaks_then_the_earliest() -> None:
    due = (fallen("late", NOW), fallen("silence", NOW - 2 * HOUR, "inactivity"), fallen("early", NOW - HOUR))
    found = plan(replace(CASE, due=due, held=(waited("h", NOW - timedelta(minutes=30)),)), (NOW,), rules())
    merged = NudgeState.MERGED
    assert states(found) == {"early": NudgeState.DISPATCHED, "late": merged, "silence": merged, "c-h": merged}
    assert found.speaking is not None
    into = {item.merged_into for item in found.judged if item.state is merged}
    assert into == {found.speaking.nudge.nudge_id}
    assert len(found.moves) == 3


@pytest.mark.parametrize(
    ("person", "state"),
    [
        (replace(PERSON, stopped=True), NudgeState.DROPPED),
        (replace(PERSON, snoozed_until=NOW + HOUR), NudgeState.HELD),
        (replace(PERSON, time_zone="Mars/Olympus"), NudgeState.HELD),
    ],
)
def test_what_may_not_leave_is_kept_with_its_reason_and_the_check_in_goes_on(person: Person, state: NudgeState) -> None:
    found = plan(replace(CASE, person=person, due=(fallen("a", NOW),)), (NOW,), rules())
    assert found.speaking is None
    assert states(found) == {"a": state}
    assert [move.next_due_at for move in found.moves] == [NOW + 24 * HOUR]


def test_it_is_due_only_by_the_earliest_clock_and_allowed_only_by_both() -> None:
    evening = NOW.replace(hour=20, minute=30)
    case = replace(CASE, due=(fallen("a", evening),))
    assert plan(case, (evening,), rules()).speaking is not None
    held = plan(case, (evening, evening + HOUR), rules())
    assert states(held) == {"a": NudgeState.HELD}
    assert plan(case, (evening - HOUR, evening), rules()).judged == ()


def test_the_same_hold_again_is_not_told_again() -> None:
    case = replace(CASE, history=History((), NOW - timedelta(minutes=5), False))
    [again] = plan(replace(case, held=(waited("h", NOW),)), (NOW,), rules()).judged
    assert (again.state, again.told) == (NudgeState.HELD, False)
    [other] = plan(replace(case, held=(waited("h", NOW, "quiet_hours"),)), (NOW,), rules()).judged
    assert (other.state, other.told) == (NudgeState.HELD, True)


def test_a_held_one_whose_check_in_is_gone_is_dropped() -> None:
    found = plan(replace(CASE, held=(waited("h", NOW, refused="check_in_removed"),)), (NOW,), rules())
    assert states(found) == {"c-h": NudgeState.DROPPED}


def test_a_trigger_of_another_release_is_dropped_and_its_check_in_goes_on() -> None:
    found = plan(replace(CASE, due=(fallen("a", NOW, "streak_at_risk"),)), (NOW,), rules())
    assert states(found) == {"a": NudgeState.DROPPED}
    assert found.moves[0].next_due_at == NOW + 24 * HOUR


def test_a_broken_rule_stands_alone() -> None:
    due = (fallen("broken", NOW, rule="FREQ=NEVER"), fallen("a", NOW))
    found = plan(replace(CASE, due=due), (NOW,), rules())
    assert states(found) == {"a": NudgeState.DISPATCHED}
    assert {move.check_in_id: (move.next_due_at is None, move.broken) for move in found.moves} == {
        "broken": (True, True), "a": (False, False),
    }  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 72), st.sampled_from(sorted(TRIGGERS)), st.sampled_from(CatchUp)), max_size=6),
    st.lists(st.integers(0, 72), max_size=4),
    st.booleans(),
)
def test_at_most_one_speaks_and_every_check_in_goes_on_to_the_future(
    due: list[tuple[int, str, CatchUp]], held: list[int], snoozed: bool
) -> None:
    case = replace(
        CASE, person=replace(PERSON, snoozed_until=NOW + HOUR if snoozed else None),
        due=tuple(
            fallen(f"c{at}", NOW - hours * HOUR, trigger, catch_up=catch_up)
            for at, (hours, trigger, catch_up) in enumerate(due)
        ),
        held=tuple(waited(f"h{at}", NOW - hours * HOUR) for at, hours in enumerate(held)),
    )  # fmt: skip
    found = plan(case, (NOW,), rules())
    assert sum(item.state is NudgeState.DISPATCHED for item in found.judged) <= 1
    assert not snoozed or found.speaking is None
    assert len(found.moves) == len(due)
    assert all(move.next_due_at is not None and move.next_due_at > NOW for move in found.moves)
    assert any(item.state is NudgeState.MERGED for item in found.judged) <= (found.speaking is not None)


@pytest.mark.parametrize(
    ("written", "asked", "state"),
    [
        (NOW - timedelta(days=9), None, NudgeState.DISPATCHED),
        (NOW - 11 * HOUR, None, NudgeState.DROPPED),  # in the night: it is quiet no more
        (NOW - timedelta(days=9), NOW - timedelta(days=4), NudgeState.DISPATCHED),
        (NOW - timedelta(days=9), NOW - HOUR, NudgeState.DROPPED),
    ],
)
def test_silence_that_has_ended_while_a_nudge_waited_is_not_asked_about(
    written: datetime, asked: datetime | None, state: NudgeState
) -> None:
    [judged] = plan(replace(CASE, held=(silent(written, asked),)), (NOW,), rules()).judged
    assert judged.state is state
    assert judged.decision == (Drop("no_longer_due") if state is NudgeState.DROPPED else Send())
