"""Recurrence on a wall clock: once a day whatever the clocks do, and RFC 5545's rules."""

import time as clock
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from coaching.domain.recurrence import Recurrence, RuleError, checked, latest_until, next_after
from support.zones import changes, every_zone, times, wall_clock

BERLIN = "Europe/Berlin"
START = date(2026, 1, 1)
TIMES = times(2024, 2030)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def following(r: Recurrence, after: datetime, number: int) -> list[datetime]:
    """Return the next occurrences, one asked for after another."""
    found: list[datetime] = []
    while len(found) < number and (at := next_after(r, found[-1] if found else after)) is not None:
        found.append(at)
    return found


def days(rule: str, number: int = 4, starts_on: date = START) -> list[str]:
    """Return the first days of a rule."""
    r = Recurrence(checked(rule), time(12), "UTC", starts_on)
    return [f"{at:%Y-%m-%d}" for at in following(r, utc("2000-01-01"), number)]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("freq=daily", "FREQ=DAILY"),
        (" RRULE:BYDAY=FR,MO,FR;FREQ=WEEKLY;INTERVAL=1; ", "FREQ=WEEKLY;BYDAY=FR,MO"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,1,-1", "FREQ=MONTHLY;BYMONTHDAY=-1,1,15"),
        ("FREQ=MONTHLY;BYDAY=+1MO", "FREQ=MONTHLY;BYDAY=1MO"),
        ("UNTIL=20271231;FREQ=YEARLY;BYMONTH=02", "FREQ=YEARLY;UNTIL=20271231;BYMONTH=2"),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=3", "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3"),
    ],
)
def test_a_rule_is_written_in_one_way(written: str, normal: str) -> None:
    assert checked(written) == normal
    assert checked(normal) == normal


@pytest.mark.parametrize(
    ("rule", "advice"),
    [
        ("", "NAME=VALUE"),
        ("daily", "NAME=VALUE"),
        ("FREQ=DAILY;FREQ=DAILY", "each name once"),
        ("BYDAY=MO", "FREQ= one of"),
        ("FREQ=HOURLY", "FREQ= one of"),
        ("FREQ=DAILY;BYHOUR=9", "beside it"),
        ("FREQ=DAILY;DTSTART=20260101", "beside it"),
        ("FREQ=YEARLY;BYEASTER=0", "beside it"),
        ("FREQ=DAILY;INTERVAL=0", "from 1"),
        ("FREQ=DAILY;INTERVAL=-1", "from 1"),
        ("FREQ=DAILY;INTERVAL=x", "from 1"),
        ("FREQ=DAILY;COUNT=5001", "to 5000"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "not by both"),
        ("FREQ=DAILY;UNTIL=20270230", "last day"),
        ("FREQ=DAILY;UNTIL=20270101T000000Z", "last day"),
        ("FREQ=DAILY;BYMONTHDAY=1", "longer FREQ"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "longer FREQ"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "WEEKLY or MONTHLY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "needs FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYDAY=XX", "list of days"),
        ("FREQ=WEEKLY;WKST=XX", "WKST"),
        ("FREQ=MONTHLY;BYSETPOS=1", "say which"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "to 31"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes true"),
        ("FREQ=MONTHLY;BYDAY=6MO", "never comes true"),
        ("FREQ=YEARLY;BYWEEKNO=" + ",".join("53" for _ in range(99)), "200 characters"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_with_advice(rule: str, advice: str) -> None:
    with pytest.raises(RuleError, match=advice):
        checked(rule)


@given(st.text(max_size=60) | st.text("FREQ=DAILYWKMOTHBS;,-+0123456789", max_size=60).map("FREQ=MONTHLY;".__add__))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        normal = checked(text)
    except RuleError:
        return
    assert checked(normal) == normal


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", ["2026-01-01", "2026-01-04", "2026-01-07", "2026-01-10"]),
        ("FREQ=WEEKLY", ["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-22"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", ["2026-01-01", "2026-01-12", "2026-01-15", "2026-01-26"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1", ["2026-01-02", "2026-01-09", "2026-01-16", "2026-01-23"]),
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1", ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("FREQ=MONTHLY;BYDAY=2TU", ["2026-01-13", "2026-02-10", "2026-03-10", "2026-04-14"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["2026-01-30", "2026-02-27", "2026-03-27", "2026-04-24"]),
        # The last working day of a month.
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"]),
        ("FREQ=YEARLY", ["2026-01-01", "2027-01-01", "2028-01-01", "2029-01-01"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2028-02-29", "2032-02-29", "2036-02-29", "2040-02-29"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", ["2027-01-04", "2028-01-03", "2029-01-01", "2029-12-31"]),
        ("FREQ=DAILY;COUNT=2", ["2026-01-01", "2026-01-02"]),
        ("FREQ=DAILY;UNTIL=20260103", ["2026-01-01", "2026-01-02", "2026-01-03"]),
        ("FREQ=DAILY;UNTIL=20251231", []),
    ],
)
def test_the_days_of_a_rule(rule: str, expected: list[str]) -> None:
    assert days(rule) == expected


def test_a_yearly_rule_that_starts_on_a_leap_day_comes_true_on_leap_days() -> None:
    assert days("FREQ=YEARLY", 3, date(2024, 2, 29)) == ["2024-02-29", "2028-02-29", "2032-02-29"]
    assert days("FREQ=YEARLY;INTERVAL=2", 3, date(2025, 2, 28)) == ["2025-02-28", "2027-02-28", "2029-02-28"]


@pytest.mark.guarantee("P4-decide")
def test_a_daily_time_comes_once_on_each_local_day_of_every_zone() -> None:
    for zone in every_zone():
        for change in [*changes(zone), utc("2026-06-10")]:
            local = change.astimezone(zone)
            for minutes in (-90, -30, 0, 30):
                at = (local + timedelta(minutes=minutes)).time().replace(second=0, microsecond=0)
                first = local.date() - timedelta(days=2)
                r = Recurrence("FREQ=DAILY", at, zone.key, first)
                expected = [wall_clock(datetime.combine(first + timedelta(days=day), at), zone) for day in range(5)]
                assert following(r, change - timedelta(days=9), 5) == expected, (zone, change, at)


@given(st.sampled_from(every_zone()), st.times(), TIMES)
def test_the_next_daily_time_is_the_next_that_a_wall_clock_shows(zone: ZoneInfo, at: time, after: datetime) -> None:
    days_around = [after.date() + timedelta(days=number) for number in range(-3, 4)]
    shown = (wall_clock(datetime.combine(day, at), zone) for day in days_around)
    assert next_after(Recurrence("FREQ=DAILY", at, zone.key, date(2020, 1, 1)), after) == min(
        moment for moment in shown if moment > after
    )


@pytest.mark.parametrize(
    ("zone", "at", "first", "expected"),
    [
        # 02:30 does not come on 29 March: as before the change, 03:30. In autumn it comes twice: the first time.
        (BERLIN, "02:30", "2026-03-28", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        (BERLIN, "02:30", "2026-10-24", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
        ("Australia/Lord_Howe", "02:15", "2026-10-03", ["2026-10-02T15:45", "2026-10-03T15:45", "2026-10-04T15:15"]),
        ("Antarctica/Troll", "01:30", "2026-03-28", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-29T23:30"]),
        ("Europe/Dublin", "01:30", "2026-03-28", ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"]),
        # 30 December 2011 was left out in Apia, 21 August 1993 in Kwajalein: no occurrence, and none doubled.
        ("Pacific/Apia", "08:30", "2011-12-29", ["2011-12-29T18:30", "2011-12-30T18:30", "2011-12-31T18:30"]),
        ("Pacific/Kwajalein", "08:30", "1993-08-20", ["1993-08-20T20:30", "1993-08-21T20:30", "1993-08-22T20:30"]),
    ],
)
def test_a_daily_time_where_clocks_are_odd(zone: str, at: str, first: str, expected: list[str]) -> None:
    r = Recurrence("FREQ=DAILY", time.fromisoformat(at), zone, date.fromisoformat(first))
    assert following(r, utc("1990-01-01"), 3) == [utc(one) for one in expected]


def test_in_an_unknown_zone_nothing_ever_comes() -> None:
    r = Recurrence("FREQ=DAILY", time(9), "Mars/Olympus", START)
    assert next_after(r, utc("2026-01-01")) is None
    assert latest_until(r, utc("2027-01-01"), utc("2026-01-01")) is None


BY_DAY = st.lists(st.sampled_from("MO TU WE TH FR SA SU".split()), min_size=1, max_size=3).map(
    lambda found: f";BYDAY={','.join(found)}"
)
BY_MONTH_DAY = st.sampled_from([";BYMONTHDAY=1", ";BYMONTHDAY=29,-1", ";BYMONTHDAY=13", ""])
BY_MONTH = st.sampled_from([";BYMONTH=3", ";BYMONTH=2,10", ""])
INTERVALS = st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=5"])
ENDS = st.sampled_from(["", "", ";COUNT=7", ";COUNT=40", ";UNTIL=20280229"])
RULES = st.one_of(
    st.tuples(st.just("FREQ=DAILY"), INTERVALS, ENDS),
    st.tuples(st.just("FREQ=DAILY"), BY_DAY, BY_MONTH, ENDS),
    st.tuples(st.just("FREQ=WEEKLY"), INTERVALS, BY_DAY | st.just(""), BY_MONTH, ENDS),
    st.tuples(st.just("FREQ=MONTHLY"), INTERVALS, BY_DAY | BY_MONTH_DAY, ENDS),
    st.tuples(st.just("FREQ=MONTHLY"), INTERVALS, BY_DAY, st.sampled_from([";BYSETPOS=1", ";BYSETPOS=-1"]), ENDS),
    st.tuples(st.just("FREQ=YEARLY"), INTERVALS, BY_MONTH, BY_MONTH_DAY, BY_DAY | st.just(""), ENDS),
).map("".join)
STARTS = st.dates(date(2019, 1, 1), date(2028, 12, 31))


def by_the_library(rule: str, start: date, end: date) -> list[date]:
    """Return the rule's days as the library counts them from the start."""
    text = f"{rule};WKST=MO".replace("UNTIL=20280229", "UNTIL=20280229T235959")
    moments = takewhile(lambda at: at.date() < end, rrulestr(text, dtstart=datetime.combine(start, time(6))))
    return [at.date() for at in moments]


@given(RULES, STARTS, TIMES)
def test_occurrences_are_those_that_the_library_counts_from_the_start(rule: str, start: date, after: datetime) -> None:
    expected = [
        at
        for day in by_the_library(rule, start, date(2034, 1, 1))
        if (at := datetime.combine(day, time(6), tzinfo=UTC)) > after
    ]
    assume(expected or "COUNT" in rule or "UNTIL" in rule)
    r = Recurrence(checked(rule), time(6), "UTC", start)
    assert following(r, after, 8)[: len(expected)] == expected[:8]


@given(RULES, STARTS, TIMES, st.sampled_from(every_zone()), st.times())
def test_occurrences_rise_strictly(rule: str, start: date, after: datetime, zone: ZoneInfo, at: time) -> None:
    r = Recurrence(checked(rule), at, zone.key, start)
    found = [after, *following(r, after, 5)]
    assert all(earlier < later for earlier, later in pairwise(found))


@given(RULES, STARTS, TIMES, st.sampled_from(every_zone()), st.times(), st.timedeltas(timedelta(), timedelta(days=900)))
def test_the_latest_until_now_is_the_last_of_those_that_follow(
    rule: str, start: date, since: datetime, zone: ZoneInfo, at: time, span: timedelta
) -> None:
    r, now = Recurrence(checked(rule), at, zone.key, start), since + span
    expected = None
    one = next_after(r, since - timedelta(microseconds=1))
    while one is not None and one <= now:
        expected, one = one, next_after(r, one)
    assert latest_until(r, now, since) == expected


def test_a_rule_that_started_long_ago_costs_no_more() -> None:
    begun = clock.monotonic()
    for year in range(1000, 1200):
        start = date(year, 1, 1)
        for rule in ("FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "FREQ=MONTHLY;BYDAY=-1FR"):
            assert next_after(Recurrence(rule, time(9), BERLIN, start), utc("2026-05-01")) is not None
    # Day by day from the start, the library would take minutes.
    assert clock.monotonic() - begun < 5
