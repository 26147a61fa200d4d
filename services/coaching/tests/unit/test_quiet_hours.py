"""Quiet hours on everybody's wall clock, in every zone, whenever its clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.quiet_hours import QuietHours, allowed_from, instant_of, zone_of
from support.zones import changes, every_zone, times, wall_clock

NIGHT = QuietHours(time(21), time(8))
# Around the hours at which clocks are changed; and nearly always.
SHAPES = (NIGHT, QuietHours(time(0, 30), time(2, 30)), QuietHours(time(2, 30), time(2)), QuietHours(time(23), time(0)))
AROUND = (-1500, -700, -181, -61, -31, -1, 0, 1, 29, 61, 119, 700, 1500)  # minutes
INSTANT = timedelta(microseconds=1)


def moments(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield moments around each change of the zone's clocks; of one without, some hours of a day."""
    yield from (at + timedelta(minutes=minutes) for at in changes(zone) for minutes in AROUND)
    yield from (datetime(2026, 5, 10, hour, 17, tzinfo=UTC) for hour in range(0, 24, 5))


@pytest.mark.parametrize(
    ("text", "quiet", "allowed"),
    [
        ("21:00-08:00", ["21:00", "23:59", "00:00", "07:59"], ["08:00", "12:00", "20:59"]),
        ("01:00-02:30", ["01:00", "02:29"], ["00:59", "02:30", "23:00"]),
        ("09:00-09:00", [], ["00:00", "09:00", "23:59"]),
    ],
)
def test_quiet_hours_begin_with_their_start_and_end_before_their_end(
    text: str, quiet: list[str], allowed: list[str]
) -> None:
    hours = QuietHours.parse(text)
    assert all(hours.quiet(datetime.fromisoformat(f"2026-03-01 {at}")) for at in quiet)
    assert not any(hours.quiet(datetime.fromisoformat(f"2026-03-01 {at}")) for at in allowed)


@pytest.mark.parametrize("text", ["", "21:00", "21-8", "21:00-24:30", "21:00-08:00-09:00", "never"])
def test_what_is_no_pair_of_times_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="like 21:00-08:00"):
        QuietHours.parse(text)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "Mars/Olympus",
        "../../etc/passwd",
        "Europe",
        "/etc/localtime",
        "localtime",
        "Factory",
        "a\0b",
        "x" * 999,
    ],
)
def test_what_is_no_zone_is_unknown(name: str | None) -> None:
    assert zone_of(name) is None


def test_every_zone_is_known() -> None:
    assert len(every_zone()) > 590
    assert all(zone_of(zone.key) is not None for zone in every_zone())


@pytest.mark.guarantee("P4-decide")
def test_quiet_hours_end_at_the_first_moment_that_is_not_quiet_in_every_zone() -> None:
    for zone in every_zone():
        for at in moments(zone):
            for quiet in SHAPES:
                allowed = allowed_from(at, zone, quiet)
                assert not quiet.quiet(allowed.astimezone(zone)), (zone, at, quiet)
                if not quiet.quiet(at.astimezone(zone)):
                    assert allowed == at
                    continue
                assert at < allowed <= at + timedelta(hours=48)
                before = [at + (allowed - at) * part / 5 for part in range(5)]
                assert all(quiet.quiet(one.astimezone(zone)) for one in [*before, allowed - INSTANT]), (zone, at, quiet)


@given(st.sampled_from(every_zone()), st.times(), st.times(), times(1990, 2037))
def test_any_quiet_hours_end(zone: ZoneInfo, start: time, end: time, at: datetime) -> None:
    quiet = QuietHours(start, end)
    allowed = allowed_from(at, zone, quiet)
    assert not quiet.quiet(allowed.astimezone(zone))
    assert allowed == at or quiet.quiet((allowed - INSTANT).astimezone(zone))


@pytest.mark.parametrize(
    ("zone", "quiet", "at", "allowed"),
    [
        # Spring: 07:00 UTC+1 would be the end; the clocks have lost an hour by then.
        ("Europe/Berlin", "21:00-08:00", "2026-03-28T22:00", "2026-03-29T06:00"),
        ("Europe/Berlin", "21:00-08:00", "2026-10-24T22:00", "2026-10-25T07:00"),
        # The end itself is skipped: it is over when the clocks jump past it.
        ("Europe/Berlin", "00:00-02:30", "2026-03-29T00:30", "2026-03-29T01:00"),
        # Half an hour is repeated: what was over begins once more.
        ("Australia/Lord_Howe", "00:30-01:45", "2026-04-04T14:35", "2026-04-04T14:45"),
        ("Australia/Lord_Howe", "00:30-01:45", "2026-04-04T15:00", "2026-04-04T15:15"),
        ("Antarctica/Troll", "21:00-08:00", "2026-03-28T22:00", "2026-03-29T06:00"),
        # A whole day is left out: 30 December 2011.
        ("Pacific/Apia", "21:00-08:00", "2011-12-30T09:30", "2011-12-30T18:00"),
        ("Europe/Dublin", "21:00-08:00", "2026-03-28T22:00", "2026-03-29T07:00"),
    ],
)
def test_the_end_of_a_night(zone: str, quiet: str, at: str, allowed: str) -> None:
    moment = datetime.fromisoformat(f"{at}+00:00")
    assert allowed_from(moment, ZoneInfo(zone), QuietHours.parse(quiet)) == datetime.fromisoformat(f"{allowed}+00:00")


def test_a_wall_clock_time_is_its_first_showing_and_one_that_is_skipped_is_as_before_the_change() -> None:
    for zone in every_zone():
        for at in changes(zone):
            for minutes in range(-180, 181, 45):
                local = at.astimezone(zone).replace(tzinfo=None) + timedelta(minutes=minutes)
                assert instant_of(local, zone) == wall_clock(local, zone)
