"""Pausing, resuming and removing a check-in."""

from dataclasses import replace

from coaching.app.check_ins.ports import CheckIns, OnePerson, PersonRef, UnknownError
from coaching.app.check_ins.timing import Timing
from coaching.domain.check_ins import CheckIn


class PauseCheckIn:
    """Pauses or resumes; a resumed one is due at its next time, and nothing is made up for."""

    def __init__(self, check_ins: CheckIns, timing: Timing) -> None:
        self._check_ins = check_ins
        self._timing = timing

    async def __call__(self, ref: PersonRef, check_in_id: str, *, paused: bool) -> CheckIn:
        """Return the check-in as it is now; to pause a paused one changes nothing."""
        async with self._check_ins.changing(ref) as person:
            found = await _found(person, check_in_id)
            if found.paused == paused:
                return found
            changed = self._timing.timed(replace(found, paused=paused), await person.activities())
            now = self._timing.clock.now()
            await person.write([changed], now)
            await person.look_again(now, found.check_in_id)
            return changed


class RemoveCheckIn:
    """Removes a check-in; the nudges that came of it stay, and can be explained."""

    def __init__(self, check_ins: CheckIns, timing: Timing) -> None:
        self._check_ins = check_ins
        self._timing = timing

    async def __call__(self, ref: PersonRef, check_in_id: str) -> None:
        """Remove it. Raises UnknownError where there is none."""
        async with self._check_ins.changing(ref) as person:
            found = await _found(person, check_in_id)
            await person.remove(found.check_in_id)
            await person.look_again(self._timing.clock.now(), found.check_in_id)


async def _found(person: OnePerson, check_in_id: str) -> CheckIn:
    for check_in in await person.check_ins():
        if check_in.check_in_id == check_in_id.lower():
            return check_in
    raise UnknownError("This person has no such check-in. List the check-ins to see their ids.")
