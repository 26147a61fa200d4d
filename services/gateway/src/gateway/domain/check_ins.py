"""When the coach writes first, as a guest sees and says it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

DAILY = "FREQ=DAILY"
WEEKLY = "FREQ=WEEKLY;BYDAY="
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
BY_CODE = {day[:2].upper(): day for day in DAYS}  # RFC 5545 names days by two letters


def rule_of(days: frozenset[Day]) -> str:
    """Return the recurrence rule of these days of the week; none of them, or all, is every day."""
    if not days or days == frozenset(DAYS):
        return DAILY
    return WEEKLY + ",".join(code for code, day in BY_CODE.items() if day in days)


def days_of(rule: str) -> tuple[Day, ...]:
    """Return the days of the week that a rule means, Monday first; none for a rule that says more than days."""
    if rule == DAILY:
        return DAYS
    codes = rule.removeprefix(WEEKLY).split(",") if rule.startswith(WEEKLY) else []
    if not all(code in BY_CODE for code in codes):
        return ()
    return tuple(day for code, day in BY_CODE.items() if code in codes)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Wall-clock times "21:00" between which nothing is written first; equal: none."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One reason to write first, as coaching keeps it."""

    check_in_id: str
    trigger: str
    rule: str
    local_time: str
    time_zone: str
    after_days: int
    paused: bool
    next_due_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewCheckIn:
    """What a guest asks for; `request_id` is the page's own, by which asking again is safe."""

    request_id: str
    rule: str
    local_time: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Added:
    """A check-in that was added, and how many others went to its time zone with the person."""

    check_in: CheckIn
    moved: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the coach writes first to one guest. `known` is false of somebody who has not written yet."""

    known: bool
    check_ins: tuple[CheckIn, ...] = ()
    time_zone: str = ""
    quiet_hours: QuietHours | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class QuietHoursSet:
    """The quiet hours and the time zone that hold now, and how many check-ins went to that zone with the person."""

    quiet_hours: QuietHours
    time_zone: str
    moved: int
