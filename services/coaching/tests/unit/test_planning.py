"""What a preview says of the time to come, by the function that the dispatch decides with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.app.check_ins.planning import Known, Planned, Walk
from coaching.app.check_ins.ports import Held
from coaching.domain.check_ins import Activity, CatchUp, CheckIn, Nudge
from coaching.domain.dispatching import Case, Rules
from coaching.domain.ids import PersonId
from coaching.domain.proactive import Channel, History, Limits, Person
from coaching.domain.quiet_hours import QuietHours
from coaching.domain.zone_names import nearest
from coaching.triggers.registry import TRIGGERS

ANNA, BERLIN = PersonId("anna"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUIET = QuietHours(time(21), time(8))
LIMITS = Limits(per_day=3, per_week=15, live=timedelta(minutes=10))
SILENCE = History((), None, turn_open=False)
RULES = Rules(TRIGGERS, LIMITS, lambda: "never")
PERSON = Person("Europe/Berlin", QUIET, told=True, stopped=False, snoozed_until=None, crisis_hold=False)


def check_in(number: int = 1, at: str = "09:00", **changes: Any) -> CheckIn:
    """A check-in in Berlin that is due tomorrow at that time."""
    local = time.fromisoformat(at)
    due = datetime.combine(date(2026, 3, 3), local, BERLIN).astimezone(UTC)
    made = CheckIn(
        f"c{number}", ANNA, "scheduled_check_in", "FREQ=DAILY", local, "Europe/Berlin", date(2026, 3, 3),
        next_due_at=due, created_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)


def ahead(
    *check_ins: CheckIn,
    days: int = 7,
    held: Sequence[Held] = (),
    person: Person = PERSON,
    history: History = SILENCE,
    limits: Limits = LIMITS,
    activity: Activity | None = None,
) -> list[Planned]:
    case = Case(ANNA, "en", person, Channel(gone=False), history, None, 0)
    known = Known(case, check_ins, held, {"": activity} if activity else {})
    return Walk(known, replace(RULES, limits=limits), NOW).make(NOW + timedelta(days=days))[0]


def words(planned: Sequence[Planned]) -> list[tuple[str, str]]:
    return [(item.verdict, item.reason) for item in planned]


def test_every_day_is_said_by_the_local_clock_over_a_change_of_it() -> None:
    planned = ahead(check_in(), days=31)
    assert {item.local_due[10:16] for item in planned} == {"T09:00"}
    assert {item.local_due[16:] for item in planned} == {"+01:00", "+02:00"}
    assert set(words(planned)) == {("send", "")}
    assert len(planned) == 31


def test_what_falls_in_quiet_hours_is_held_to_their_end() -> None:
    [first, *_] = ahead(check_in(at="23:30"))
    assert (first.verdict, first.reason) == ("hold", "quiet_hours")
    assert first.until == datetime(2026, 3, 4, 7, tzinfo=UTC)


def test_what_is_planned_counts_for_the_cap_of_what_comes_after() -> None:
    four = [check_in(number, f"{9 + number:02}:00") for number in range(4)]
    assert words(ahead(*four, days=2)[:4]) == [("send", "")] * 3 + [("drop", "day_cap")]
    week = ahead(check_in(), days=14, limits=replace(LIMITS, per_week=2))
    assert [item.reason for item in week[:8]] == ["", "", *["week_cap"] * 5, ""]


def test_what_is_due_at_one_time_is_one_message() -> None:
    assert sorted(words(ahead(check_in(1), check_in(2), days=1))) == [("drop", "merged"), ("send", "")]


def test_silence_is_counted_from_what_was_last_said_and_then_from_what_is_planned() -> None:
    quiet_times = check_in(trigger="inactivity", after_days=3)
    planned = ahead(quiet_times, days=10, activity=Activity(last_message_at=NOW))
    assert [item.due_at.date().day for item in planned] == [6, 9, 12]


def test_what_waits_now_is_there_with_its_id_and_its_end() -> None:
    nudge = Nudge("n1", "c1", ANNA, "scheduled_check_in", CatchUp.ONCE, NOW - timedelta(hours=1))
    held = Held(nudge, "snoozed", NOW + timedelta(hours=1), "Europe/Berlin")
    [first, *_] = ahead(check_in(), held=[held])
    assert (first.nudge_id, first.verdict, first.reason, first.until) == ("n1", "hold", "snoozed", held.look_at)
    assert words(ahead(held=[held])) == [("drop", "check_in_removed")]
    assert words(ahead(check_in(paused=True), held=[held])) == [("drop", "check_in_paused")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"stopped": True}, "stopped"), ({"told": False}, "no_consent"), ({"crisis_hold": True}, "crisis_hold")],
)
def test_what_would_never_leave_is_dropped(changes: dict[str, Any], reason: str) -> None:
    assert set(words(ahead(check_in(), person=replace(PERSON, **changes)))) == {("drop", reason)}


def test_an_unknown_zone_holds_and_the_preview_still_ends() -> None:
    planned = ahead(*map(check_in, range(20)), person=replace(PERSON, time_zone=None), days=366)
    assert set(words(planned)) == {("hold", "zone_unknown")}
    assert len(planned) == 1000


def test_paused_check_ins_and_those_that_are_over_are_not_planned() -> None:
    assert not ahead(check_in(paused=True), check_in(2, next_due_at=None))


def test_a_live_conversation_holds_what_is_due_while_it_may_last() -> None:
    history = History((), NOW, turn_open=True)
    soon = check_in(next_due_at=NOW + timedelta(minutes=1), local_time=time(13, 1))
    [first, *_] = ahead(soon, history=history)
    assert (first.verdict, first.reason, first.until) == ("hold", "live_conversation", NOW + timedelta(minutes=10))


@given(st.integers(1, 20), st.integers(1, 50))
def test_never_more_is_said_than_asked_for(number: int, most: int) -> None:
    case = Case(ANNA, "en", PERSON, Channel(gone=False), SILENCE, None, 0)
    check_ins = [check_in(index, f"10:{index:02}") for index in range(number)]
    planned, more = Walk(Known(case, check_ins, (), {}), RULES, NOW).make(NOW + timedelta(days=3), most)
    assert (len(planned), more) == (min(most, 3 * number), 3 * number > most)
    assert [item.due_at for item in planned] == sorted(item.due_at for item in planned)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Europe/Berln", "Europe/Berlin"), ("berlin", "Europe/Berlin"), ("new york", "America/New_York"), ("utc", "UTC")],
)
def test_the_nearest_zones_hold_the_one_that_was_meant(name: str, meant: str) -> None:
    assert meant in nearest(name)


@given(st.text(max_size=40))
def test_only_zones_are_suggested(name: str) -> None:
    assert all(ZoneInfo(zone) for zone in nearest(name))


def test_silence_that_is_asked_about_in_the_morning_is_held_and_then_sent() -> None:
    silence = check_in(at="23:30", trigger="inactivity", after_days=3, created_at=NOW - timedelta(days=9))
    planned = ahead(silence, activity=Activity(NOW - timedelta(days=9)), days=8)
    assert [(item.verdict, item.reason) for item in planned] == [("hold", "quiet_hours")] * 3
    assert all(item.until is not None and item.until.hour == 7 for item in planned)
