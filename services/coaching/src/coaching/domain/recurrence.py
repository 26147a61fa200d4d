"""Recurrence on a wall clock: RFC 5545 rules over days, at one local time, in one zone, whatever its clocks do."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice

from dateutil.rrule import rrulestr

from coaching.domain.quiet_hours import instant_of, zone_of

LONGEST = 200
MOST_TIMES = 5000  # COUNT: over thirteen years of days
# A day in a zone may be left out whole (Apia crossed the date line), so a look at dates begins somewhat earlier.
MARGIN = timedelta(days=2)
AT_ONCE = 5  # dates that are looked up, and remembered, together
ENDS = ("COUNT", "UNTIL")
DAY = re.compile(r"[0-9]{8}")
NUMBER = re.compile(r"[+-]?[0-9]{1,4}")
WEEKDAY = re.compile(r"(?:[+-]?(?:[1-9]|[1-4][0-9]|5[0-3]))?(?:MO|TU|WE|TH|FR|SA|SU)")
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NUMBERS = {"INTERVAL": 1000, "COUNT": MOST_TIMES}
# The largest absolute value, and whether it may count from the end.
LISTS = {
    "BYMONTH": (12, False), "BYWEEKNO": (53, True), "BYYEARDAY": (366, True), "BYMONTHDAY": (31, True),
    "BYSETPOS": (366, True),
}  # fmt: skip
ORDER = (
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST",
)  # fmt: skip
# Days of a month are said with MONTHLY or YEARLY: under DAILY they would only be a filter over every single day.
ALLOWED = {
    "DAILY": {"BYMONTH", "BYDAY"},
    "WEEKLY": {"BYMONTH", "BYDAY", "BYSETPOS"},
    "MONTHLY": {"BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"},
    "YEARLY": {"BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYSETPOS"},
}


class RuleError(ValueError):
    """A rule that cannot be followed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule that `checked` returned, at `local_time` on the wall clock of a zone, on no day before `starts_on`."""

    rule: str
    local_time: time
    zone_name: str
    starts_on: date


def checked(rule: str) -> str:
    """Return the rule in one way of writing it, without the prefix RRULE:."""
    parts = _parts(rule)
    # A rule that leaves months or weeks out may need another start than January of a leap year.
    starts = [date(2024, month, 1) for month in (range(1, 13) if "INTERVAL" in parts else (1,))]
    endless = {name: value for name, value in parts.items() if name not in ENDS}
    if not any(True for start in starts for _ in islice(_endless_days(endless, start, start), 1)):
        raise RuleError("The rule never comes true: check its days and months.")
    return ";".join(f"{name}={parts[name]}" for name in ORDER if name in parts)


def next_after(r: Recurrence, after: datetime) -> datetime | None:
    """Return the first occurrence strictly after `after`, in UTC; None: no more, or the zone is unknown."""
    zone = zone_of(r.zone_name)
    if zone is None:
        return None
    for day in _days(r, _day_before(after)):
        at = instant_of(datetime.combine(day, r.local_time), zone)
        if at > after:
            return at
    return None


def latest_until(r: Recurrence, at: datetime, since: datetime) -> datetime | None:
    """Return the latest occurrence in [since, at], in UTC; None: there is none, or the zone is unknown."""
    zone = zone_of(r.zone_name)
    if zone is None or since > at:
        return None
    earliest, found = _day_before(since), None
    # Most rules come true every few days: look at the last ones first.
    for span in (timedelta(days=7), timedelta(days=70), timedelta(days=800), at - since):
        start = _day_before(max(at - span, since))
        for day in _days(r, start):
            moment = instant_of(datetime.combine(day, r.local_time), zone)
            if moment > at:
                break
            found = moment if moment >= since else found
        if found is not None or start == earliest:
            break
    return found


def _day_before(at: datetime) -> date:
    """Return a day before which no occurrence from `at` on lies."""
    return at.astimezone(UTC).date() - MARGIN


# ---------------------------------------------------------------- reading a rule


def _parts(rule: str) -> dict[str, str]:
    """Return a rule's parts by name; each is allowed, and is allowed beside the others."""
    if len(rule) > LONGEST:
        raise RuleError(f"A rule has at most {LONGEST} characters.")
    parts: dict[str, str] = {}
    for part in rule.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name in parts:
            raise RuleError("A rule is NAME=VALUE;NAME=VALUE, each name once: FREQ=WEEKLY;BYDAY=MO,FR.")
        parts[name] = _value(name, value)
    freq = parts.get("FREQ", "")
    if freq not in FREQUENCIES:
        raise RuleError(f"A rule says FREQ= one of {', '.join(FREQUENCIES)}.")
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    _check_together(freq, parts)
    return parts


def _value(name: str, value: str) -> str:
    """Return one part's value in one way of writing it."""
    if name in NUMBERS:
        return str(_number(name, value, NUMBERS[name], signed=False))
    if name in LISTS:
        most, signed = LISTS[name]
        numbers = {_number(name, one, most, signed=signed) for one in value.split(",")}
        return ",".join(map(str, sorted(numbers)))
    if name == "BYDAY":
        return ",".join(dict.fromkeys(_weekday(one.strip()) for one in value.split(",")))
    if name == "UNTIL":
        return f"{_until(value):%Y%m%d}"
    if name == "WKST" and value not in WEEKDAYS:
        raise RuleError("WKST is a day: MO, TU, WE, TH, FR, SA or SU.")
    if name not in ORDER:
        raise RuleError(f"A rule may say {', '.join(ORDER)}; the time of day is given beside it.")
    return value


def _number(name: str, text: str, most: int, *, signed: bool) -> int:
    if NUMBER.fullmatch(text.strip()) and 1 <= abs(number := int(text)) <= most and (signed or number > 0):
        return number
    raise RuleError(f"{name} counts from 1 to {most}{', or from the end from -1 on' if signed else ''}.")


def _weekday(text: str) -> str:
    if not WEEKDAY.fullmatch(text):
        raise RuleError("BYDAY is a list of days like MO,FR; or like 1MO or -1FR: the first Monday, the last Friday.")
    return text.removeprefix("+")


def _until(text: str) -> date:
    try:
        if DAY.fullmatch(text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        pass
    raise RuleError("UNTIL is the last day, like 20271231.")


def _check_together(freq: str, parts: dict[str, str]) -> None:
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("A rule ends by COUNT or by UNTIL, not by both.")
    by = {name for name in parts if name.startswith("BY")}
    if wrong := by - ALLOWED[freq]:
        raise RuleError(f"FREQ={freq} does not go with {', '.join(sorted(wrong))}; a longer FREQ may.")
    if freq == "DAILY" and by and "INTERVAL" in parts:
        raise RuleError("Every so many days and only on some of them: say WEEKLY or MONTHLY instead.")
    if "BYSETPOS" in by and len(by) == 1:
        raise RuleError("BYSETPOS picks from other days: say which, like BYDAY=MO,TU,WE,TH,FR.")
    counted = any(character.isdigit() for character in parts.get("BYDAY", ""))
    if counted and (freq in ("DAILY", "WEEKLY") or "BYWEEKNO" in by):
        raise RuleError("BYDAY=1MO needs FREQ=MONTHLY or YEARLY, without BYWEEKNO.")


# ---------------------------------------------------------------- days, by the library


def _days(r: Recurrence, first: date) -> Iterator[date]:
    """Yield the days from `first` on."""
    while days := _some_days(r.rule, r.starts_on, max(first, r.starts_on)):
        yield from days
        first = days[-1] + timedelta(days=1)


@lru_cache(maxsize=8192)
def _some_days(rule: str, starts_on: date, first: date) -> tuple[date, ...]:
    """Return the rule's next days from `first` on. Thousands of check-ins share a rule and a start."""
    endless, last = _read(rule, starts_on)
    return tuple(day for day in islice(_endless_days(endless, starts_on, first), AT_ONCE) if day <= last)


@lru_cache(maxsize=8192)
def _read(rule: str, starts_on: date) -> tuple[dict[str, str], date]:
    """Return the rule without its end, and its last day."""
    parts = dict(part.split("=") for part in rule.split(";"))
    endless = {name: value for name, value in parts.items() if name not in ENDS}
    if "UNTIL" in parts:
        return endless, _until(parts["UNTIL"])
    if "COUNT" in parts:
        *_, last = date.min, *islice(_endless_days(endless, starts_on, starts_on), int(parts["COUNT"]))
        return endless, last
    return endless, date.max


def _endless_days(parts: Mapping[str, str], starts_on: date, first: date) -> Iterator[date]:
    """Yield the days from `first` on of a rule without an end.

    The library counts from the start, and looks until the year 9999 for a rule that never comes true. So it is given a
    start near `first`, in one of the calendar's last copies: the Gregorian one repeats after 400 years to the weekday.
    """
    years = max(0, (9700 - first.year) // 400 * 400)
    start, first = starts_on.replace(year=starts_on.year + years), first.replace(year=first.year + years)
    begin = _near(parts, start, first)
    text = ";".join(f"{name}={value}" for name, value in {**_implied(parts, start), **parts}.items())
    for moment in rrulestr(text, dtstart=datetime.combine(begin, time())):
        if moment.date() >= first:
            yield moment.date().replace(year=moment.year - years)


def _implied(parts: Mapping[str, str], start: date) -> dict[str, str]:
    """Return what a rule leaves to its first day."""
    implied = {"WKST": "MO"}
    if parts["FREQ"] == "WEEKLY":
        implied["BYDAY"] = WEEKDAYS[start.weekday()]
    elif parts["FREQ"] != "DAILY" and not parts.keys() & {"BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"}:
        implied["BYMONTHDAY"] = str(start.day)
        if parts["FREQ"] == "YEARLY":
            implied["BYMONTH"] = str(start.month)
    return implied


def _near(parts: Mapping[str, str], start: date, first: date) -> date:
    """Return the first day of the last period that the rule's INTERVAL allows at or before `first`."""
    interval = int(parts.get("INTERVAL", "1"))
    match parts["FREQ"]:
        case "DAILY":
            return start + (first - start) // timedelta(days=interval) * timedelta(days=interval)
        case "WEEKLY":
            week = start - timedelta(days=(start.weekday() - WEEKDAYS.index(parts.get("WKST", "MO"))) % 7)
            return week + (first - week) // timedelta(weeks=interval) * timedelta(weeks=interval)
        case "MONTHLY":
            months = start.year * 12 + start.month - 1
            months += (first.year * 12 + first.month - 1 - months) // interval * interval
            return date(months // 12, months % 12 + 1, 1)
        case _:
            return date(start.year + (first.year - start.year) // interval * interval, 1, 1)
