"""Check-ins, and the nudges that come of them: one check-in at one due time is one nudge."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from coaching.domain.ids import PersonId


class CatchUp(StrEnum):
    """What becomes of a due time at which nothing could leave."""

    SKIP = "skip"  # it is left out
    ONCE = "once"  # it leaves as soon as it may, once, however many were missed
    NEXT_WINDOW = "next_window"  # it waits for the next end of quiet hours


class NudgeState(StrEnum):
    """Where a nudge stands; a dispatched one goes on as a delivery."""

    HELD = "held"
    DISPATCHED = "dispatched"
    MERGED = "merged"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One reason to speak first, and when: wall-clock times in the person's own zone."""

    check_in_id: str
    person_id: PersonId
    trigger: str  # a name of the registry of triggers
    rule: str  # RFC 5545 recurrence rule, without DTSTART
    local_time: time
    time_zone: str
    starts_on: date
    catch_up: CatchUp = CatchUp.ONCE
    after_days: int = 0  # inactivity: days of silence
    paused: bool = False
    next_due_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What a trigger may know of a person: when things happened, never what was said."""

    last_message_at: datetime | None = None  # of the person
    last_nudge_at: datetime | None = None  # due time of the check-in's last nudge that left


@dataclass(frozen=True, slots=True)
class Nudge:
    """One occasion to speak first."""

    nudge_id: str
    check_in_id: str
    person_id: PersonId
    trigger: str
    catch_up: CatchUp
    due_at: datetime
