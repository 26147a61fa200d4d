"""When a check-in is due, by its rule and its trigger."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.due import due, next_due
from coaching.domain.ids import PersonId
from coaching.triggers.registry import TRIGGERS

SCHEDULED, INACTIVITY = TRIGGERS["scheduled_check_in"], TRIGGERS["inactivity"]
# 08:30 in Berlin; the clocks go back on 26 October 2025.
FIRST = datetime(2025, 10, 24, 6, 30, tzinfo=UTC)
DAILY = CheckIn(
    "c", PersonId("p"), "scheduled_check_in", "FREQ=DAILY", time(8, 30), "Europe/Berlin", date(2025, 10, 1),
    next_due_at=FIRST,
)  # fmt: skip
QUIET = Activity()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, 10, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (at(24, 6, 29), None),
        (at(24, 6, 30), FIRST),
        (at(24, 9), FIRST),
        (at(25, 6, 30), at(25, 6, 30)),
        (at(26, 7), at(25, 6, 30)),  # 08:00 in winter time
        (at(26, 7, 30), at(26, 7, 30)),
        (at(31, 12), at(31, 7, 30)),
    ],
)
def test_of_several_missed_times_the_latest_counts(now: datetime, found: datetime | None) -> None:
    assert due(DAILY, SCHEDULED, QUIET, now) == found


def test_the_next_one_is_at_the_same_time_of_the_wall_clock() -> None:
    assert next_due(DAILY, SCHEDULED, QUIET, at(25, 6, 30)) == at(26, 7, 30)


def test_a_time_that_the_rule_gives_no_more_counts_itself() -> None:
    moved = replace(DAILY, next_due_at=at(24, 6, 31))
    assert due(moved, SCHEDULED, QUIET, at(24, 7)) == at(24, 6, 31)


def test_a_paused_one_is_not_due() -> None:
    assert due(replace(DAILY, next_due_at=None), SCHEDULED, QUIET, at(30, 0)) is None


def test_a_rule_that_has_ended_is_due_never_again() -> None:
    last = replace(DAILY, rule="FREQ=DAILY;UNTIL=20251024")
    assert due(last, SCHEDULED, QUIET, at(24, 7)) == FIRST
    assert next_due(last, SCHEDULED, QUIET, FIRST) is None


def test_a_zone_that_this_machine_does_not_know_is_looked_at_again_in_a_day() -> None:
    unknown = replace(DAILY, time_zone="Mars/Olympus")
    assert due(unknown, SCHEDULED, QUIET, at(24, 7)) == FIRST
    assert next_due(unknown, SCHEDULED, QUIET, FIRST) == FIRST + timedelta(days=1)


def test_silence_is_counted_from_the_last_word() -> None:
    silent = replace(DAILY, trigger="inactivity", after_days=3)
    wrote = Activity(last_message_at=at(23, 12))
    assert due(silent, INACTIVITY, wrote, at(26, 8)) is None
    assert next_due(silent, INACTIVITY, wrote, at(24, 7)) == at(27, 7, 30)
    assert due(silent, INACTIVITY, wrote, at(27, 8)) == at(27, 7, 30)
    assert next_due(silent, INACTIVITY, replace(wrote, last_nudge_at=at(27, 7, 30)), at(27, 8)) == at(30, 7, 30)
