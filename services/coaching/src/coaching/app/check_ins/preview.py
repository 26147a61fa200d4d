"""What is going to become due for a person."""

from dataclasses import dataclass
from datetime import timedelta

from coaching.app.check_ins.planning import Known, Planned, Walk
from coaching.app.check_ins.ports import CheckIns, PersonRef
from coaching.domain.dispatching import Rules
from coaching.domain.quiet_hours import QuietHours
from kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Preview:
    """What is planned, earliest first."""

    planned: tuple[Planned, ...]
    time_zone: str | None
    has_more: bool


class PreviewSchedule:
    """Looks ahead; changes nothing."""

    def __init__(self, check_ins: CheckIns, rules: Rules, clock: Clock, default_quiet: QuietHours) -> None:
        self._check_ins = check_ins
        self._rules = rules
        self._clock = clock
        self._default_quiet = default_quiet

    async def __call__(self, ref: PersonRef, days: int) -> Preview:
        """Return what becomes due in the next days, and what would be decided about it if nothing changed."""
        now = self._clock.now()
        async with self._check_ins.reading(ref) as person:
            times = person.times
            known = Known(
                await person.case(now, self._default_quiet), await person.check_ins(), await person.held(),
                await person.activities(),
            )  # fmt: skip
        planned, more = Walk(known, self._rules, now).make(now + timedelta(days=days))
        return Preview(tuple(planned), times.time_zone, more)
