"""Time that is trusted enough to write first: what every clock at hand agrees to."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from coaching.domain.clocks import AGREE, Reading, Reckoning, moments, reckoned
from coaching.metrics import CLOCK_DISAGREEMENT
from kit import log

_log = log.get_logger("coaching.trusted_time")


class WorldClock(Protocol):
    """The service's own clock, and what a test has added to every clock of its world."""

    def now(self) -> datetime: ...

    def world_offset(self) -> timedelta: ...


class TrustedTime:
    """The times that it may be now, by the service's clock, a steady one and the database's; one for each process."""

    def __init__(self, clock: WorldClock, steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._reckoning: Reckoning | None = None
        self._disagreed = False

    def world_offset(self) -> timedelta:
        """Return what a test has added to every clock, the database's too."""
        return self._clock.world_offset()

    def earliest(self) -> datetime:
        """Return the earliest time that it may be, without the database's word."""
        world = self._clock.world_offset()
        return moments(self._reckoning, Reading(self._clock.now() - world, self._steady()))[0] + world

    def moments(self, database: datetime) -> tuple[datetime, ...]:
        """Return the earliest time that it may be, and the latest where that is another; `database` was just read."""
        world = self._clock.world_offset()
        reading = Reading(self._clock.now() - world, self._steady(), database)
        found = moments(self._reckoning, reading)
        self._reckoning = reckoned(self._reckoning, reading)
        self._note(found[-1] - found[0])
        return tuple(at + world for at in found)

    def _note(self, apart: timedelta) -> None:
        CLOCK_DISAGREEMENT.set(apart.total_seconds())
        disagree = apart > AGREE
        if disagree and not self._disagreed:
            _log.warning("clocks_disagree", seconds=round(apart.total_seconds(), 1))
        self._disagreed = disagree
