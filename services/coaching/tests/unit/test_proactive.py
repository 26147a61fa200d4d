"""May the coach write first? Everything that forbids it, in every zone, whatever the clocks do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coaching.domain.check_ins import CatchUp
from coaching.domain.deliveries import Decision, Drop, Hold, Send
from coaching.domain.proactive import Channel, History, Limits, Occasion, Person, decide, decide_at
from coaching.domain.quiet_hours import QuietHours, allowed_from
from support.zones import changes, every_zone, times

NIGHT = QuietHours(time(21), time(8))
NEVER_QUIET = QuietHours(time(0), time(0))
SHAPES = (NIGHT, QuietHours(time(0, 30), time(2, 30)), QuietHours(time(2, 30), time(2)), NEVER_QUIET)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONGEST = {CatchUp.SKIP: 30 * MINUTE, CatchUp.ONCE: DAY, CatchUp.NEXT_WINDOW: 2 * DAY}
TIMELESS = {"stopped", "no_consent", "recipient_gone", "crisis_hold", "handed_over"}

NOON = datetime(2026, 5, 6, 10, tzinfo=UTC)  # 12:00 in Berlin
ROBIN = Person("Europe/Berlin", NIGHT, told=True, stopped=False, snoozed_until=None, crisis_hold=False)
OPEN = Channel(gone=False)
NOTHING_YET = History(sent=(), last_inbound_at=None, turn_open=False)
LIMITS = Limits(per_day=3, per_week=15, live=10 * MINUTE)
PUNCTUAL = Occasion(NOON, CatchUp.ONCE)


def sent(*ago: timedelta) -> History:
    return replace(NOTHING_YET, sent=tuple(NOON - one for one in ago))


def due(ago: timedelta, catch_up: CatchUp = CatchUp.ONCE) -> Occasion:
    return Occasion(NOON - ago, catch_up)


@pytest.mark.parametrize(
    ("person", "channel", "history", "decision"),
    [
        (ROBIN, OPEN, NOTHING_YET, Send()),
        (replace(ROBIN, stopped=True, told=False), OPEN, NOTHING_YET, Drop("stopped")),
        (replace(ROBIN, told=False), OPEN, NOTHING_YET, Drop("no_consent")),
        (replace(ROBIN, crisis_hold=True), OPEN, NOTHING_YET, Drop("crisis_hold")),
        (replace(ROBIN, handed_over=True), OPEN, NOTHING_YET, Drop("handed_over")),
        (ROBIN, Channel(gone=True), NOTHING_YET, Drop("recipient_gone")),
        (ROBIN, Channel(gone=False, window_closes_at=NOON), NOTHING_YET, Drop("window_closed")),
        (ROBIN, Channel(gone=False, window_closes_at=NOON + MINUTE), NOTHING_YET, Send()),
        (replace(ROBIN, time_zone=None), OPEN, NOTHING_YET, Hold(NOON + HOUR, "zone_unknown")),
        (replace(ROBIN, time_zone="Mars/X"), OPEN, NOTHING_YET, Hold(NOON + HOUR, "zone_unknown")),
        (replace(ROBIN, snoozed_until=NOON + HOUR), OPEN, NOTHING_YET, Hold(NOON + HOUR, "snoozed")),
        (replace(ROBIN, snoozed_until=NOON), OPEN, NOTHING_YET, Send()),
        (replace(ROBIN, snoozed_until=NOON + 2 * DAY), OPEN, NOTHING_YET, Drop("stale")),
        (ROBIN, OPEN, sent(-HOUR), Hold(NOON + HOUR + timedelta(seconds=1), "clock_went_back")),
        (ROBIN, OPEN, sent(HOUR, 2 * HOUR), Send()),
        (ROBIN, OPEN, sent(HOUR, 2 * HOUR, 3 * HOUR), Drop("day_cap")),
        # A day is a local one: it began twelve hours ago.
        (ROBIN, OPEN, sent(HOUR, 2 * HOUR, 12 * HOUR), Drop("day_cap")),
        (ROBIN, OPEN, sent(HOUR, 2 * HOUR, 12 * HOUR + MINUTE), Send()),
        (ROBIN, OPEN, sent(*(DAY + hours * HOUR for hours in range(15))), Drop("week_cap")),
        (ROBIN, OPEN, sent(7 * DAY, *(DAY + hours * HOUR for hours in range(14))), Send()),
        (
            ROBIN, OPEN, replace(NOTHING_YET, last_inbound_at=NOON - 9 * MINUTE),
            Hold(NOON + MINUTE, "live_conversation"),
        ),
        (ROBIN, OPEN, replace(NOTHING_YET, last_inbound_at=NOON - 10 * MINUTE), Send()),
        (ROBIN, OPEN, replace(NOTHING_YET, turn_open=True), Hold(NOON + MINUTE, "live_conversation")),
    ],
)  # fmt: skip
def test_what_forbids_or_delays_a_message(
    person: Person, channel: Channel, history: History, decision: Decision
) -> None:
    assert decide(NOON, PUNCTUAL, person, channel, history, LIMITS) == decision


@pytest.mark.parametrize(
    ("catch_up", "due_at", "now", "decision"),
    [
        # In Berlin the night ends at 06:00 UTC in May, and begins at 19:00 UTC.
        ("once", "06 10:00", "06 09:59", "hold not_yet 06 10:00"),
        ("once", "06 10:00", "06 10:00", "send"),
        ("once", "06 10:00", "06 18:59", "send"),
        ("once", "06 10:00", "06 19:00", "hold quiet_hours 07 06:00"),
        ("once", "06 03:00", "06 04:00", "hold quiet_hours 06 06:00"),
        ("once", "06 05:00", "06 06:00", "send"),
        ("once", "06 10:00", "07 10:00", "send"),
        ("once", "06 10:00", "07 10:01", "drop stale"),
        # What falls due in the night is late from its end on.
        ("once", "06 20:00", "08 06:00", "send"),
        ("once", "06 20:00", "08 06:01", "drop stale"),
        # Held until after it is stale: never.
        ("once", "06 05:00", "06 23:00", "hold quiet_hours 07 06:00"),
        ("skip", "06 10:00", "06 10:30", "send"),
        ("skip", "06 10:00", "06 10:31", "drop missed"),
        ("skip", "06 03:00", "06 05:00", "hold quiet_hours 06 06:00"),
        ("skip", "06 18:45", "06 19:01", "drop missed"),
        ("next_window", "06 10:00", "06 10:30", "send"),
        ("next_window", "06 10:00", "06 10:31", "hold next_window 07 06:00"),
        ("next_window", "06 10:00", "06 23:00", "hold next_window 07 06:00"),
        ("next_window", "06 10:00", "07 06:00", "send"),
        ("next_window", "06 10:00", "07 06:30", "send"),
        ("next_window", "06 10:00", "07 06:31", "hold next_window 08 06:00"),
        ("next_window", "06 10:00", "08 06:00", "send"),
        ("next_window", "06 10:00", "08 06:31", "drop stale"),
    ],
)
def test_what_becomes_of_a_late_one(catch_up: str, due_at: str, now: str, decision: str) -> None:
    occasion = Occasion(datetime.fromisoformat(f"2026-05-{due_at}+00:00"), CatchUp(catch_up))
    found = decide(datetime.fromisoformat(f"2026-05-{now}+00:00"), occasion, ROBIN, OPEN, NOTHING_YET, LIMITS)
    assert words(found) == decision


def words(decision: Decision) -> str:
    match decision:
        case Send():
            return "send"
        case Hold(until, reason):
            return f"hold {reason} {until:%d %H:%M}"
        case Drop(reason):
            return f"drop {reason}"


def test_without_quiet_hours_there_is_no_window_to_wait_for() -> None:
    person = replace(ROBIN, quiet=NEVER_QUIET)
    assert decide(NOON, due(HOUR, CatchUp.NEXT_WINDOW), person, OPEN, NOTHING_YET, LIMITS) == Send()


# ---------------------------------------------------------------- every zone, both changes of the clocks

AROUND = (-1500, -700, -181, -61, -31, -1, 0, 1, 29, 61, 119, 700, 1500)  # minutes around a change
LATE = (timedelta(), 9 * HOUR)


def is_quiet(at: datetime, zone: ZoneInfo, quiet: QuietHours) -> bool:
    """Return by minutes of the day, not by the code that is tested."""
    local = at.astimezone(zone)
    minute, start, end = (one.hour * 60 + one.minute for one in (local, quiet.start, quiet.end))
    return (minute - start) % 1440 < (end - start) % 1440


@pytest.mark.guarantee("P4-decide")
def test_nothing_leaves_in_quiet_hours_of_any_zone_around_any_change_of_its_clocks() -> None:
    for zone in every_zone():
        moments = [at + minutes * MINUTE for at in changes(zone) for minutes in AROUND]
        for at in moments or [NOON + hours * HOUR for hours in range(0, 24, 3)]:
            for quiet in SHAPES:
                person = replace(ROBIN, time_zone=zone.key, quiet=quiet)
                for late in LATE:
                    occasion = Occasion(at - late, CatchUp.ONCE)
                    check(at, occasion, zone, quiet, decide(at, occasion, person, OPEN, NOTHING_YET, LIMITS))


def check(at: datetime, occasion: Occasion, zone: ZoneInfo, quiet: QuietHours, decision: Decision) -> None:
    match decision:
        case Send():
            assert not is_quiet(at, zone, quiet), (at, zone, quiet)
        case Hold(until, reason):
            assert reason == "quiet_hours"
            assert is_quiet(at, zone, quiet)
            assert at < until <= at + 48 * HOUR
            assert not is_quiet(until, zone, quiet), (at, zone, quiet)
        case Drop(reason):
            # Quiet for over a day: it is allowed for half an hour a day only, and the clocks skipped that.
            assert reason == "stale"
            assert allowed_from(at, zone, quiet) - occasion.due_at > DAY, (at, zone, quiet)


# ---------------------------------------------------------------- everything at once

ZONES = {zone.key: zone for zone in every_zone()}


SOON = st.timedeltas(-2 * DAY, 2 * DAY)
NAMES = st.sampled_from([*ZONES, None, "", "Mars/X"])


@st.composite
def nows(draw: st.DrawFn, zone: str | None) -> datetime:
    """Draw any time, but often one around a change of the zone's clocks."""
    around = changes(ZONES[zone]) if zone in ZONES else ()
    near = draw(st.booleans())
    if around and near:
        return draw(st.sampled_from(around)) + draw(SOON)
    return draw(times(2024, 2028))


QUIET = st.sampled_from(SHAPES) | st.builds(QuietHours, st.times(), st.times())
SPANS = st.sampled_from([timedelta(), MINUTE, 31 * MINUTE]) | st.timedeltas(-2 * HOUR, 3 * DAY)
# What is not as usual; most often one thing or nothing.
ODD = st.sets(st.sampled_from("snoozed unasked stopped crisis handed gone window turn".split()), max_size=2)
AGO = st.lists(st.timedeltas(timedelta(), 8 * DAY) | st.timedeltas(-2 * HOUR, DAY), max_size=5)
Asked = tuple[datetime, Occasion, Person, Channel, History, Limits]


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Draw a question for decide()."""
    zone = draw(NAMES)
    now, odd = draw(nows(zone)), draw(ODD)
    snoozed = now + draw(SPANS) if "snoozed" in odd else None
    person = Person(
        zone, draw(QUIET), "unasked" not in odd, "stopped" in odd, snoozed, "crisis" in odd, "handed" in odd
    )  # fmt: skip
    channel = Channel("gone" in odd, now + draw(SPANS) if "window" in odd else None)
    inbound = now - draw(SPANS) if draw(st.booleans()) else None
    history = History(tuple(now - ago for ago in draw(AGO)), inbound, "turn" in odd)
    limits = Limits(draw(st.integers(0, 4)), draw(st.integers(0, 6)), draw(st.sampled_from([timedelta(), 10 * MINUTE])))
    return now, Occasion(now - draw(SPANS), draw(st.sampled_from(CatchUp))), person, channel, history, limits


def next_window_is_stale(reason: str, question: Asked) -> bool:
    """Tell whether it would have to wait for a morning that comes only after it has become stale."""
    now, occasion, person, _, _, limits = question
    late = now - allowed_from(occasion.due_at, ZONES[person.time_zone or ""], person.quiet)
    waits = occasion.catch_up is CatchUp.NEXT_WINDOW and late > limits.grace
    # The next end of quiet hours is a day away at most, and an hour more where the clocks go back.
    return reason == "stale" and waits and late + DAY + HOUR > LONGEST[CatchUp.NEXT_WINDOW]


def forbidden(question: Asked) -> list[str]:
    """Return all that speaks against sending now, each said on its own."""
    now, occasion, person, channel, history, limits = question
    zone = ZONES.get(person.time_zone or "")
    found = {
        "stopped": person.stopped,
        "no notice": not person.told,
        "gone": channel.gone,
        "crisis": person.crisis_hold,
        "handed over": person.handed_over,
        "zone": zone is None,
        "before due": now < occasion.due_at,
        "clock": any(at > now for at in history.sent),
        "snoozed": person.snoozed_until is not None and now < person.snoozed_until,
        "week": sum(now - 7 * DAY < at for at in history.sent) >= limits.per_week,
        "live": history.turn_open or (history.last_inbound_at or now - DAY) + limits.live > now,
        "window": channel.window_closes_at is not None and now >= channel.window_closes_at,
    }
    if zone is not None:
        today = [at for at in history.sent if at.astimezone(zone).date() == now.astimezone(zone).date()]
        late = now - allowed_from(occasion.due_at, zone, person.quiet)
        found["day"] = len(today) >= limits.per_day
        found["quiet"] = person.quiet.quiet(now.astimezone(zone))
        found["late"] = late > LONGEST[occasion.catch_up]
    return [name for name, is_so in found.items() if is_so]


@pytest.mark.guarantee("P4-decide")
@settings(max_examples=600)
@given(asked())
def test_it_leaves_only_where_nothing_speaks_against_it(question: Asked) -> None:
    now, occasion, person, _, _, _ = question
    against = forbidden(question)
    match decide(*question):
        case Send():
            assert not against
        case Hold(until, reason):
            assert against or (reason == "next_window" and occasion.catch_up is CatchUp.NEXT_WINDOW)
            assert now < until <= now + 4 * DAY
            if reason == "quiet_hours":
                assert not person.quiet.quiet(until.astimezone(ZoneInfo(str(person.time_zone))))
        case Drop(reason):
            assert against or next_window_is_stale(reason, question)


@pytest.mark.guarantee("P4-decide")
@settings(max_examples=200)
@given(asked())
def test_asking_again_at_the_end_of_each_hold_comes_to_an_end(question: Asked) -> None:
    now, occasion, person, channel, history, limits = question
    end = max(now, occasion.due_at) + 9 * DAY
    while isinstance(decision := decide(now, occasion, person, channel, history, limits), Hold):
        assert decision.until > now
        now = decision.until
        if decision.reason == "zone_unknown":
            return  # for as long as nobody knows it
        assert now < end
    assert isinstance(decision, Send | Drop)


@pytest.mark.guarantee("P4-decide")
@settings(max_examples=300)
@given(asked(), st.lists(SPANS | st.sampled_from([HOUR, -HOUR]), max_size=3))
def test_what_one_plausible_time_forbids_does_not_leave(question: Asked, errors: Sequence[timedelta]) -> None:
    now, *facts = question
    moments = [now, *(now + error for error in errors)]
    single = [decide(moment, *facts) for moment in moments]  # type: ignore[arg-type]  # the rest of a tuple
    match decide_at(moments, *facts):  # type: ignore[arg-type]  # the rest of a tuple
        case Send():
            assert all(decision == Send() for decision in single)
        case Hold(until):
            assert any(not isinstance(decision, Drop) for decision in single)
            assert all(until >= decision.until for decision in single if isinstance(decision, Hold))
        case Drop(reason):
            assert all(isinstance(decision, Drop) for decision in single)
            assert reason not in TIMELESS or all(decision == Drop(reason) for decision in single)


def test_without_a_time_nothing_leaves_and_clocks_that_disagree_have_to_agree_first() -> None:
    closes = Channel(gone=False, window_closes_at=NOON + HOUR)
    decision = decide_at((NOON, NOON + HOUR), PUNCTUAL, ROBIN, closes, NOTHING_YET, LIMITS)
    assert decision == Hold(NOON + HOUR + MINUTE, "clocks_disagree")
    with pytest.raises(ValueError, match="moment"):
        decide_at((), PUNCTUAL, ROBIN, OPEN, NOTHING_YET, LIMITS)
