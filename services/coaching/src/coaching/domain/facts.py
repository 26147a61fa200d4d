"""What a decision about a nudge was made by, in plain words and times: for whoever asks why."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from coaching.domain.proactive import History, Occasion, Person
from coaching.domain.quiet_hours import allowed_from, zone_of


def facts_of(now: datetime, occasion: Occasion, person: Person, history: History) -> Mapping[str, str]:
    """Return them by name; no word of a person's is among them."""
    zone = zone_of(person.time_zone)
    quiet = person.quiet
    found = {
        "zone": person.time_zone or "",
        "quiet": f"{quiet.start.isoformat('minutes')}-{quiet.end.isoformat('minutes')}",
    }
    if zone is None:
        return found
    local = now.astimezone(zone)
    found["local_time"] = local.isoformat(timespec="minutes")
    found["sent_today"] = str(sum(at.astimezone(zone).date() == local.date() for at in history.sent))
    found["late_seconds"] = str(int(max(now - allowed_from(occasion.due_at, zone, quiet), timedelta()).total_seconds()))
    if history.last_inbound_at is not None:
        found["last_message"] = history.last_inbound_at.astimezone(zone).isoformat(timespec="minutes")
    return found
