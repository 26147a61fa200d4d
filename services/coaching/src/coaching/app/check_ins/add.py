"""Adding a check-in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coaching.app.check_ins.ports import CheckIns, InvalidError, OnePerson, PersonRef, TooManyError
from coaching.app.check_ins.timing import Timing
from coaching.domain.check_ins import CatchUp, CheckIn
from coaching.domain.quiet_hours import QuietHours, zone_of
from kit.ids import new_id


@dataclass(frozen=True, slots=True)
class AskedCheckIn:
    """A check-in as it was asked for; rule and times have been read already."""

    person: PersonRef
    trigger: str
    rule: str
    local_time: time
    time_zone: str | None = None  # None: the person's
    catch_up: CatchUp = CatchUp.ONCE
    after_days: int = 0
    quiet: QuietHours | None = None  # set with it
    request_id: str = ""  # becomes its id, so that asking twice adds one


@dataclass(frozen=True, slots=True)
class Added:
    """The check-in, and how many others went to its zone with the person."""

    check_in: CheckIn
    moved: int = 0


class AddCheckIn:
    """Adds a check-in to a person; its zone becomes theirs."""

    def __init__(self, check_ins: CheckIns, timing: Timing, most: int) -> None:
        self._check_ins = check_ins
        self._timing = timing
        self._most = most

    async def __call__(self, asked: AskedCheckIn) -> Added:
        """Add it, or return the one that the same request_id has added. Raises RefusedError."""
        async with self._check_ins.changing(asked.person) as person:
            present = await person.check_ins()
            for check_in in present:
                if check_in.check_in_id == asked.request_id.lower():
                    return Added(check_in)
            if asked.request_id and await person.is_taken(asked.request_id):
                raise InvalidError("request_id: it belongs to another person's check-in. Make a new UUID.")
            return await self._add(person, asked, present)

    async def _add(self, person: OnePerson, asked: AskedCheckIn, present: Sequence[CheckIn]) -> Added:
        if len(present) >= self._most:
            raise TooManyError(
                f"This person has {len(present)} check-ins, and may have {self._most}. Remove one first."
            )
        now, activities = self._timing.clock.now(), await person.activities()
        added = self._timing.timed(self._made(asked, person, now), activities)
        if added.next_due_at is None:
            raise InvalidError("rule: by this rule nothing is due any more. Give one with a date in the future.")
        moved = self._timing.moved(present, activities, person.times.time_zone, asked.time_zone)
        await person.write([added, *moved], now)
        if asked.time_zone is not None or asked.quiet is not None:
            await person.set_times(asked.time_zone, asked.quiet)
            await person.look_again(now)
        return Added(added, len(moved))

    def _made(self, asked: AskedCheckIn, person: OnePerson, now: datetime) -> CheckIn:
        triggers = self._timing.triggers
        trigger = triggers.get(asked.trigger)
        if trigger is None:
            raise InvalidError(f"trigger: there is none of that name. Take one of {', '.join(sorted(triggers))}.")
        zone_name = asked.time_zone or person.times.time_zone
        if zone_name is None or (zone := zone_of(zone_name)) is None:
            raise InvalidError("time_zone is missing: this person's is not known yet. Give one, such as Europe/Berlin.")
        made = CheckIn(
            check_in_id=asked.request_id.lower() or new_id(), person_id=person.times.person_id, trigger=asked.trigger,
            rule=asked.rule, local_time=asked.local_time, time_zone=zone_name,
            starts_on=first_day(now, zone, asked.local_time), catch_up=asked.catch_up, after_days=asked.after_days,
            created_at=now,
        )  # fmt: skip
        if problem := trigger.problem(made):
            raise InvalidError(f"{problem.rstrip('.')}.")
        return made


def first_day(now: datetime, zone: ZoneInfo, local_time: time) -> date:
    """Return the first day on which that time is still to come; COUNT and INTERVAL of a rule count from it."""
    local = now.astimezone(zone)
    return local.date() if local.time() < local_time else local.date() + timedelta(days=1)
