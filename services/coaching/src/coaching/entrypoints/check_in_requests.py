"""What callers ask about check-ins, read and checked. A refusal says which field, what is wrong and what to do.

A text quotes what it was given only where that has the form of a time: nobody's words come back.
"""

import re
from datetime import time
from uuid import UUID

from coaching.app.check_ins.add import AskedCheckIn
from coaching.app.check_ins.ports import InvalidError, PersonRef
from coaching.domain.check_ins import CatchUp
from coaching.domain.quiet_hours import QuietHours, zone_of
from coaching.domain.recurrence import RuleError, checked
from coaching.domain.zone_names import nearest
from contracts.coaching.v1 import coaching_pb2 as pb

DEFAULT_TRIGGER = "scheduled_check_in"
DEFAULT_RULE = "FREQ=DAILY"
DEFAULT_DAYS, MOST_DAYS = 14, 366
MOST_AFTER_DAYS = 365
MOST_CHARACTERS = 512
MOST_ZONE_CHARACTERS = 40
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LIKE_A_TIME = re.compile(r"[0-9:.]{1,8}")
_CATCH_UPS = {
    pb.CATCH_UP_UNSPECIFIED: CatchUp.ONCE,
    pb.CATCH_UP_SKIP: CatchUp.SKIP,
    pb.CATCH_UP_ONCE: CatchUp.ONCE,
    pb.CATCH_UP_NEXT_WINDOW: CatchUp.NEXT_WINDOW,
}


def asked_check_in(request: pb.AddCheckInRequest) -> AskedCheckIn:
    """Return the check-in that is to be added. Raises InvalidError."""
    person = person_ref(request.person)
    if not request.local_time:
        raise InvalidError("local_time is missing: write the time of day as HH:MM, such as 08:30.")
    if request.catch_up not in _CATCH_UPS:
        raise InvalidError("catch_up must be skip, once or next_window.")
    if request.after_days > MOST_AFTER_DAYS:
        raise InvalidError(f"after_days must be between 1 and {MOST_AFTER_DAYS}.")
    if request.request_id:
        _ = an_id(request.request_id, "request_id", "make a new one for each check-in")
    return AskedCheckIn(
        person=person,
        trigger=request.trigger or DEFAULT_TRIGGER,
        rule=_rule(request.rule or DEFAULT_RULE),
        local_time=time_of_day(request.local_time, "local_time"),
        time_zone=zone(request.time_zone),
        catch_up=_CATCH_UPS[request.catch_up],
        after_days=request.after_days,
        quiet=quiet_hours(request.quiet_hours) if request.HasField("quiet_hours") else None,
        request_id=request.request_id,
    )


def asked_times(request: pb.SetQuietHoursRequest) -> tuple[PersonRef, QuietHours | None, str | None]:
    """Return whose quiet hours and zone are to be set, and to what. Raises InvalidError."""
    ref = person_ref(request.person)
    quiet = quiet_hours(request.quiet_hours) if request.HasField("quiet_hours") else None
    zone_name = zone(request.time_zone)
    if quiet is None and zone_name is None:
        raise InvalidError("There is nothing to set: give quiet_hours, time_zone or both.")
    return ref, quiet, zone_name


def asked_days(days: int) -> int:
    """Return how far to look ahead. Raises InvalidError."""
    if days > MOST_DAYS:
        raise InvalidError(f"days must be between 1 and {MOST_DAYS}.")
    return days or DEFAULT_DAYS


def person_ref(ref: pb.PersonRef) -> PersonRef:
    """Return who is meant. Raises InvalidError."""
    organization_id = an_id(ref.organization_id, "organization_id", "it names the organisation of the person")
    if ref.person_id:
        person_id = an_id(ref.person_id, "person_id", "`platformctl people list` shows them")
        return PersonRef(organization_id, person_id)
    place = (ref.channel, ref.account, ref.sender_id)
    if not all(place):
        raise InvalidError("Name the person by person_id, or by channel, account and sender_id together.")
    if any(len(part) > MOST_CHARACTERS or "\0" in part for part in place):
        raise InvalidError(f"channel, account and sender_id have at most {MOST_CHARACTERS} characters each.")
    return PersonRef(organization_id, "", *place)


def an_id(value: str, field: str, advice: str) -> str:
    """Return a UUID as the database writes it. Raises InvalidError."""
    if not is_id(value):
        raise InvalidError(f"{field} must be a UUID: {advice}.")
    return value.lower()


def is_id(value: str) -> bool:
    """Whether this is a UUID in its usual form."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def time_of_day(value: str, field: str) -> time:
    """Return a wall-clock time. Raises InvalidError."""
    if found := _TIME.fullmatch(value):
        return time(int(found[1]), int(found[2]))
    given = f'"{value}"' if _LIKE_A_TIME.fullmatch(value) else "what was given"
    raise InvalidError(f"{field}: {given} is no time of day. Write HH:MM from 00:00 to 23:59, such as 08:30.")


def quiet_hours(given: pb.QuietHours) -> QuietHours:
    """Return quiet hours of which both ends are there. Raises InvalidError."""
    if not given.start or not given.end:
        raise InvalidError("quiet_hours need a start and an end, such as 21:00 and 08:00; equal ones mean none.")
    return QuietHours(
        time_of_day(given.start, "quiet_hours.start"), time_of_day(given.end, "quiet_hours.end")
    )  # fmt: skip


def zone(name: str) -> str | None:
    """Return the name of a known zone; None where none was given. Raises InvalidError."""
    if not name or zone_of(name) is not None:
        return name or None
    meant = " or ".join(nearest(name[:MOST_ZONE_CHARACTERS])) or "a name such as Europe/Berlin"
    raise InvalidError(f"time_zone: there is no time zone of that name. Did you mean {meant}?")


def _rule(rule: str) -> str:
    try:
        return checked(rule)
    except RuleError as error:
        raise InvalidError(f"rule: {error}") from None
