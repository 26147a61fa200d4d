"""Setting the hours in which nothing is written first, and the person's time zone."""

from dataclasses import replace

from coaching.app.check_ins.ports import CheckIns, PersonRef, Times
from coaching.app.check_ins.timing import Timing
from coaching.domain.quiet_hours import QuietHours


class SetQuietHours:
    """Sets what is given; check-ins that had the person's old zone go to the new one with the person."""

    def __init__(self, check_ins: CheckIns, timing: Timing, default_quiet: QuietHours) -> None:
        self._check_ins = check_ins
        self._timing = timing
        self._default_quiet = default_quiet

    async def __call__(self, ref: PersonRef, quiet: QuietHours | None, time_zone: str | None) -> tuple[Times, int]:
        """Return the times that hold now, and how many check-ins went to the new zone."""
        async with self._check_ins.changing(ref) as person:
            now, before = self._timing.clock.now(), person.times
            moved = self._timing.moved(await person.check_ins(), await person.activities(), before.time_zone, time_zone)
            if moved:
                await person.write(moved, now)
            await person.set_times(time_zone, quiet)
            await person.look_again(now)
        holds = quiet or before.quiet or self._default_quiet
        return replace(before, time_zone=time_zone or before.time_zone, quiet=holds), len(moved)
