"""Coaching's check-ins in memory, as faithful as the gateway and its page can tell."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from fakes.gateway import FakeConversations
from gateway.domain.check_ins import (
    DAYS,
    Added,
    CheckIn,
    NewCheckIn,
    QuietHours,
    QuietHoursSet,
    Schedule,
    days_of,
)  # fmt: skip
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId

MOST = 20
DEFAULT_QUIET_HOURS = QuietHours("21:00", "08:00")
NOT_A_ZONE = "Give the name of an IANA time zone, such as Europe/Berlin."
TOO_MANY = f"This person has {MOST} check-ins, and may have {MOST}. Remove one first."


@dataclass(slots=True)
class Plans:
    """What is kept of one person."""

    check_ins: dict[str, CheckIn] = field(default_factory=dict)
    time_zone: str = ""
    quiet_hours: QuietHours = DEFAULT_QUIET_HOURS
    stopped: bool = False


class FakeCheckIns:
    """Knows the guests that have written; `broken` says how it fails, `seconds` how slow it is."""

    def __init__(self, conversations: FakeConversations) -> None:
        self._conversations = conversations
        self.plans: dict[GuestId, Plans] = {}
        self.broken: Reason | None = None
        self.seconds = 0.0
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def of(self, guest_id: GuestId) -> Plans:
        """Return what is kept of a guest; raises Refused for one who has not written."""
        if not self._conversations.messages.get(guest_id):
            raise Refused(Reason.NOT_KNOWN_YET)
        return self.plans.setdefault(guest_id, Plans())

    async def schedule(self, guest_id: GuestId, timeout_seconds: float) -> Schedule:
        await self._reached(timeout_seconds)
        try:
            kept = self.of(guest_id)
        except Refused:
            return Schedule(known=False)
        return Schedule(True, tuple(kept.check_ins.values()), kept.time_zone, kept.quiet_hours, kept.stopped)

    async def add(self, guest_id: GuestId, new: NewCheckIn, timeout_seconds: float) -> Added:
        await self._reached(timeout_seconds)
        kept = self.of(guest_id)
        if new.request_id in kept.check_ins:
            return Added(kept.check_ins[new.request_id], 0)
        if new.time_zone not in available_timezones():
            raise Refused(Reason.NOT_POSSIBLE, advice=NOT_A_ZONE, field="time_zone")
        if len(kept.check_ins) >= MOST:
            raise Refused(Reason.TOO_MANY, advice=TOO_MANY)
        moved = self._move(kept, new.time_zone)
        made = CheckIn(
            new.request_id, "scheduled_check_in", new.rule, new.local_time, new.time_zone, 0, False, None, self.now()
        )
        made = replace(made, next_due_at=self._next(made))
        kept.check_ins[made.check_in_id] = made
        return Added(made, moved)

    async def pause(self, guest_id: GuestId, check_in_id: str, paused: bool, timeout_seconds: float) -> CheckIn:
        await self._reached(timeout_seconds)
        kept = self._kept_with(guest_id, check_in_id)
        found = replace(kept.check_ins[check_in_id], paused=paused)
        kept.check_ins[check_in_id] = replace(found, next_due_at=None if paused else self._next(found))
        return kept.check_ins[check_in_id]

    async def remove(self, guest_id: GuestId, check_in_id: str, timeout_seconds: float) -> None:
        await self._reached(timeout_seconds)
        del self._kept_with(guest_id, check_in_id).check_ins[check_in_id]

    async def set_quiet_hours(
        self, guest_id: GuestId, quiet_hours: QuietHours, time_zone: str, timeout_seconds: float
    ) -> QuietHoursSet:
        await self._reached(timeout_seconds)
        kept = self.of(guest_id)
        if time_zone not in available_timezones():
            raise Refused(Reason.NOT_POSSIBLE, advice=NOT_A_ZONE, field="time_zone")
        moved = self._move(kept, time_zone)
        kept.quiet_hours = quiet_hours
        return QuietHoursSet(quiet_hours, time_zone, moved)

    async def _reached(self, timeout_seconds: float) -> None:
        if self.broken:
            raise Refused(self.broken, 5)
        await asyncio.sleep(min(self.seconds, timeout_seconds))
        if self.seconds > timeout_seconds:
            raise Refused(Reason.TIMED_OUT, 5)

    def _kept_with(self, guest_id: GuestId, check_in_id: str) -> Plans:
        kept = self.plans.get(guest_id, Plans())
        if check_in_id not in kept.check_ins:
            raise Refused(Reason.NOT_FOUND)
        return kept

    def _move(self, kept: Plans, zone: str) -> int:
        old, kept.time_zone = kept.time_zone, zone
        moving = [one for one in kept.check_ins.values() if one.time_zone == old != zone]
        for one in moving:
            moved = replace(one, time_zone=zone)
            kept.check_ins[one.check_in_id] = replace(moved, next_due_at=None if one.paused else self._next(moved))
        return len(moving)

    def _next(self, check_in: CheckIn) -> datetime:
        zone = ZoneInfo(check_in.time_zone)
        today = self.now().astimezone(zone).date()
        days = days_of(check_in.rule) or DAYS
        local = time.fromisoformat(check_in.local_time)
        every = [datetime.combine(today + timedelta(days=number), local, zone) for number in range(9)]
        wanted = (at for at in every if at > self.now() and DAYS[at.weekday()] in days)
        return next(wanted).astimezone(UTC)
