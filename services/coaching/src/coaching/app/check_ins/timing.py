"""When check-ins are due next, and what a new zone of the person changes about that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from coaching.app.trigger import Trigger
from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.due import next_due
from kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Timing:
    """The registry of triggers and a clock."""

    triggers: Mapping[str, Trigger]
    clock: Clock

    def timed(self, check_in: CheckIn, activities: Mapping[str, Activity]) -> CheckIn:
        """Return the check-in with its next due time after now; a paused one, or one of a lost trigger, has none."""
        trigger = self.triggers.get(check_in.trigger)
        if check_in.paused or trigger is None:
            return replace(check_in, next_due_at=None)
        activity = activities.get(check_in.check_in_id) or activities.get("") or Activity()
        return replace(check_in, next_due_at=next_due(check_in, trigger, activity, self.clock.now()))

    def moved(
        self, check_ins: Iterable[CheckIn], activities: Mapping[str, Activity], old: str | None, new: str | None
    ) -> list[CheckIn]:
        """Return those that go with their person from the old zone to the new one; others keep the zone they have."""
        if old is None or new is None or old == new:
            return []
        return [
            self.timed(replace(check_in, time_zone=new), activities)
            for check_in in check_ins
            if check_in.time_zone == old
        ]
