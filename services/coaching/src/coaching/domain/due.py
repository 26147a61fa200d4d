"""When a check-in is due: what its rule says, and its trigger agrees to."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.quiet_hours import zone_of
from coaching.domain.recurrence import Recurrence, latest_until, next_after

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
# Thousands share a rule, a time and a zone, and fall due together.
_next_after = lru_cache(maxsize=8192)(next_after)


class Agreeing(Protocol):
    """The part of a trigger that says which due times count."""

    def earliest(self, check_in: CheckIn, activity: Activity) -> datetime | None: ...


def recurrence_of(check_in: CheckIn) -> Recurrence:
    """Return when the check-in's rule comes true."""
    return Recurrence(check_in.rule, check_in.local_time, check_in.time_zone, check_in.starts_on)


def due(check_in: CheckIn, trigger: Agreeing, activity: Activity, now: datetime) -> datetime | None:
    """Return the latest due time in [next_due_at, now] that the trigger agrees to; of several missed it is the one.

    None: there is none. A next_due_at that the rule would not give any more (zones change their rules) counts itself.
    """
    since = check_in.next_due_at
    if since is None or since > now:
        return None
    recurrence = recurrence_of(check_in)
    following = _next_after(recurrence, since)
    on_time = following is None or following > now  # as it is nearly always
    latest = since if on_time else latest_until(recurrence, now, since) or since
    earliest = trigger.earliest(check_in, activity)
    return None if earliest is not None and latest < earliest else latest


def next_due(check_in: CheckIn, trigger: Agreeing, activity: Activity, after: datetime) -> datetime | None:
    """Return the first due time after `after` that the trigger agrees to, as things are now; None: never again.

    Where this machine does not know the check-in's zone it is looked at again in a day: zones are brought by updates.
    """
    if zone_of(check_in.time_zone) is None:
        return after + DAY
    earliest = trigger.earliest(check_in, activity)
    if earliest is not None:
        after = max(after, earliest - INSTANT)
    return _next_after(recurrence_of(check_in), after)
