"""Every IANA zone, and when its clocks are changed: what tests of local time walk through."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

HOUR = timedelta(hours=1)
# Files of a zone folder that are nobody's zone.
NOT_ZONES = {"localtime", "posixrules", "Factory"}


@cache
def every_zone() -> tuple[ZoneInfo, ...]:
    """Return all zones that this machine knows, aliases too."""
    return tuple(ZoneInfo(name) for name in sorted(available_timezones() - NOT_ZONES))


@cache
def changes(zone: ZoneInfo, first: int = 2024, last: int = 2027) -> tuple[datetime, ...]:
    """Return the instants of the years `first` to `last` from which another offset holds."""
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    found = []
    while at < end:
        later = at + timedelta(days=2)
        if _offset(at, zone) != _offset(later, zone):
            found.append(_change(at, later, zone))
        at = later
    return tuple(found)


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    before = _offset(low, zone)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def times(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Draw seconds from the beginning of the year `first` to that of the year `last`."""
    seconds = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (first, last))
    return st.integers(*seconds).map(lambda second: datetime.fromtimestamp(second, UTC))


def wall_clock(day_and_time: datetime, zone: ZoneInfo) -> datetime:
    """Return by trying out when a wall clock first shows this; where it never does, as if it had not been changed."""
    middle = day_and_time.replace(tzinfo=UTC)
    offsets = {_offset(middle + hours * HOUR, zone) for hours in range(-30, 31, 5)}
    shown = [at for offset in offsets if (at := middle - offset).astimezone(zone).replace(tzinfo=None) == day_and_time]
    if shown:
        return min(shown)
    return middle - _offset(middle - 30 * HOUR, zone)
