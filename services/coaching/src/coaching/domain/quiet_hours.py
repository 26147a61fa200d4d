"""Local time: which zone a name means, and when somebody wants no message."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# Files of a system's zone folder that are nobody's zone: the machine's own, and the placeholder of an unset one.
NOBODYS = ("localtime", "posixrules", "Factory", "posix/", "right/")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until just before `end` on a person's wall clock, over midnight if it ends earlier; equal: none."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Read "21:00-08:00"; ValueError says what is wrong."""
        try:
            start, end = (datetime.strptime(part.strip(), "%H:%M").time() for part in text.split("-"))  # noqa: DTZ007
        except ValueError:
            raise ValueError(f"quiet hours are two times like 21:00-08:00, not {text[:40]!r}") from None
        return cls(start, end)

    def quiet(self, local: datetime) -> bool:
        """Return whether this local time lies in them."""
        at = local.time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the IANA zone of that name, or None where it is unknown."""
    return _zone(name) if name else None


@lru_cache(maxsize=2048)
def _zone(name: str) -> ZoneInfo | None:
    if name.startswith(NOBODYS):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when a wall clock shows the naive `local`: its first time where it shows it twice; where the clocks skip
    it, as if they had not been changed yet (RFC 5545, 3.3.5)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def allowed_from(at: datetime, zone: ZoneInfo, quiet: QuietHours) -> datetime:
    """Return `at` where it is not quiet, else the first instant after it that is not, in UTC."""
    while quiet.quiet(local := at.astimezone(zone)):
        wait = datetime.combine(local.date(), quiet.end) - local.replace(tzinfo=None)
        end = at.astimezone(UTC) + (wait if wait > timedelta() else wait + DAY)
        # Where the clocks are changed before that, they decide anew from there: it may be quiet no more, or for longer.
        changed = _first_change(at.astimezone(UTC), end, zone)
        if changed is None:
            return end
        at = changed
    return at


def _first_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant after `start`, up to `end`, from which another offset holds; changes lie over a day apart."""
    before = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == before:
        return None
    low, high = 0, int((end - start).total_seconds()) + 1
    first = start.replace(microsecond=0)  # changes happen at whole seconds
    while high - low > 1:
        middle = (low + high) // 2
        same = (first + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before
        low, high = (middle, high) if same else (low, middle)
    return first + timedelta(seconds=high)
