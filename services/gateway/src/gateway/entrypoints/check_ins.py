"""The routes of the page's form "Check-ins": when the coach writes first, and when never."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.domain.check_ins import DAYS, CheckIn, Day, NewCheckIn, QuietHours, Schedule, days_of, rule_of
from gateway.domain.sessions import Session
from gateway.entrypoints import problems
from gateway.entrypoints.rest import Rest

WALL_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
MAX_ZONE_CHARACTERS = 64  # the longest of the IANA database has 32
MAX_RULE_CHARACTERS = 200  # coaching's own limit

Time = Annotated[str, Field(pattern=WALL_CLOCK, description='A wall-clock time, "08:30".')]
Zone = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ZONE_CHARACTERS, description="IANA time zone; it becomes the person's."),
]  # fmt: skip


class QuietTimes(BaseModel):
    """Between these wall-clock times nothing is written first; equal ones: there are no quiet hours."""

    start: Time
    end: Time


class NewQuietHours(QuietTimes):
    """Quiet hours, and where their clock hangs."""

    model_config = ConfigDict(extra="forbid")

    time_zone: Zone


class AskedCheckIn(BaseModel):
    """A check-in to add: on these days of the week (every day without any), or by a rule."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"not": {"required": ["days", "rule"]}})

    id: UUID = Field(description="Your own id of it; asking again with the same id adds nothing more.")
    local_time: Time
    time_zone: Zone
    days: list[Day] = Field(default=[], max_length=len(DAYS), description="Days of the week; none: every day.")
    rule: str = Field(
        default="", max_length=MAX_RULE_CHARACTERS, description="RFC 5545 recurrence rule, in the place of days."
    )

    @model_validator(mode="after")
    def check_one_way(self) -> Self:
        """Refuse days and a rule together, which could contradict each other."""
        if {"days", "rule"} <= self.model_fields_set:
            raise ValueError("days or rule, not both")
        return self


class Pausing(BaseModel):
    """Whether a check-in pauses."""

    model_config = ConfigDict(extra="forbid")

    paused: bool = Field(strict=True)


class CheckInAnswer(BaseModel):
    """One check-in."""

    id: str
    trigger: str = Field(description="What it goes by: scheduled_check_in, inactivity.")
    rule: str
    days: list[Day] = Field(description="The days of the week that the rule means; none where it says more than days.")
    local_time: str
    time_zone: str
    after_days: int = Field(description="Of inactivity: so many days without a message.")
    paused: bool
    next_due_at: datetime | None = Field(description="Null while it pauses, or when it will never be due again.")
    created_at: datetime

    @classmethod
    def of(cls, check_in: CheckIn) -> Self:
        """Return the check-in as it is shown."""
        return cls(
            id=check_in.check_in_id, trigger=check_in.trigger, rule=check_in.rule, days=list(days_of(check_in.rule)),
            local_time=check_in.local_time, time_zone=check_in.time_zone, after_days=check_in.after_days,
            paused=check_in.paused, next_due_at=check_in.next_due_at, created_at=check_in.created_at,
        )  # fmt: skip


class ScheduleAnswer(BaseModel):
    """When the coach writes first."""

    known: bool = Field(description="False of somebody who has not written yet: nothing can be added before that.")
    check_ins: list[CheckInAnswer] = Field(description="Oldest first.")
    time_zone: str = Field(description="The person's; empty where it is not known.")
    quiet_hours: QuietTimes | None
    proactive_stopped: bool = Field(description="STOP was written: nothing is sent until START is.")

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """Return the schedule as it is shown."""
        quiet = schedule.quiet_hours
        return cls(
            known=schedule.known, check_ins=[CheckInAnswer.of(check_in) for check_in in schedule.check_ins],
            time_zone=schedule.time_zone, quiet_hours=QuietTimes(start=quiet.start, end=quiet.end) if quiet else None,
            proactive_stopped=schedule.stopped,
        )  # fmt: skip


class AddedAnswer(BaseModel):
    """What was added."""

    check_in: CheckInAnswer
    moved_check_ins: int = Field(description="Other check-ins that went to the new time zone with the person.")


class QuietHoursAnswer(BaseModel):
    """The quiet hours that hold now."""

    quiet_hours: QuietTimes
    time_zone: str
    moved_check_ins: int = Field(description="Check-ins that went to the new time zone with the person.")


def routes(rest: Rest) -> APIRouter:
    """Return the routes of check-ins and quiet hours."""
    router = APIRouter(prefix="/v1", tags=["check-ins"], dependencies=[Depends(rest.limited)])
    Acting = Annotated[Session, Depends(rest.acting)]  # noqa: N806  # a type
    timeout = rest.timeout_seconds

    @router.get("/check-ins", responses=documented())
    async def list_check_ins(session: Acting) -> ScheduleAnswer:
        """Return the check-ins, the quiet hours, and whether STOP was written."""
        return ScheduleAnswer.of(await rest.check_ins.schedule(session.guest_id, timeout))

    @router.post("/check-ins", status_code=201, responses=documented(409))
    async def add_check_in(session: Acting, asked: AskedCheckIn) -> AddedAnswer:
        """Add a check-in: the coach writes first at that time."""
        rule = asked.rule or rule_of(frozenset(asked.days))
        new = NewCheckIn(str(asked.id), rule, asked.local_time, asked.time_zone)
        added = await rest.check_ins.add(session.guest_id, new, timeout)
        return AddedAnswer(check_in=CheckInAnswer.of(added.check_in), moved_check_ins=added.moved)

    @router.patch("/check-ins/{check_in_id}", responses=documented(404))
    async def pause_check_in(session: Acting, check_in_id: UUID, pausing: Pausing) -> CheckInAnswer:
        """Pause a check-in, or let it go on with its next time; what was missed is not made up for."""
        paused = await rest.check_ins.pause(session.guest_id, str(check_in_id), pausing.paused, timeout)
        return CheckInAnswer.of(paused)

    @router.delete("/check-ins/{check_in_id}", status_code=204, responses=documented(404))
    async def remove_check_in(session: Acting, check_in_id: UUID) -> None:
        """Remove a check-in."""
        await rest.check_ins.remove(session.guest_id, str(check_in_id), timeout)

    @router.put("/quiet-hours", responses=documented(409))
    async def set_quiet_hours(session: Acting, new: NewQuietHours) -> QuietHoursAnswer:
        """Set the hours in which nothing is written first."""
        hours = QuietHours(new.start, new.end)
        held = await rest.check_ins.set_quiet_hours(session.guest_id, hours, new.time_zone, timeout)
        quiet = QuietTimes(start=held.quiet_hours.start, end=held.quiet_hours.end)
        return QuietHoursAnswer(quiet_hours=quiet, time_zone=held.time_zone, moved_check_ins=held.moved)

    return router


def documented(*more: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that these routes may answer with."""
    return problems.documented(401, *more, 413, 422, 429, 503, 504)
