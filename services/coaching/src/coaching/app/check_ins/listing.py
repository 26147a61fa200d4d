"""Listing a person's check-ins, and when they may be written to."""

from dataclasses import dataclass, replace

from coaching.app.check_ins.ports import CheckIns, PersonRef, Times
from coaching.domain.check_ins import CheckIn
from coaching.domain.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class Listed:
    """A person's check-ins, oldest first, and the times that hold for them."""

    check_ins: tuple[CheckIn, ...]
    times: Times


class ListCheckIns:
    """Reads; changes nothing."""

    def __init__(self, check_ins: CheckIns, default_quiet: QuietHours) -> None:
        self._check_ins = check_ins
        self._default_quiet = default_quiet

    async def __call__(self, ref: PersonRef) -> Listed:
        """Return all check-ins, with the quiet hours that hold now: the person's own, or the default."""
        async with self._check_ins.reading(ref) as person:
            times = replace(person.times, quiet=person.times.quiet or self._default_quiet)
            return Listed(tuple(await person.check_ins()), times)
