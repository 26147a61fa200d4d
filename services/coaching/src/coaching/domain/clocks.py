"""What time it may be: several clocks, of which none is believed alone.

A service's clock may be wrong, and so may the database's. A third time is reckoned: the service's, when it last went on
as expected, plus what a steady clock has counted since. What leaves must be right by all of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

AGREE = timedelta(seconds=2)
CLOSE = timedelta(milliseconds=100)  # closer than that is one time: a message is longer on its way
BELIEVED_SECONDS = 3600.0  # a jump that nothing has contradicted for so long was right


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks; `steady` counts seconds and never jumps."""

    service: datetime
    steady: float
    database: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """When the service's clock last went on as expected, and the jump that it has made since, if any."""

    at: datetime
    steady: float
    jump: timedelta = timedelta()
    jumped_at: float = 0.0  # by the steady clock

    def now(self, steady: float) -> datetime:
        """Return what time it is by the steady clock."""
        return self.at + timedelta(seconds=steady - self.steady)


def moments(reckoning: Reckoning | None, reading: Reading) -> tuple[datetime, ...]:
    """Return the earliest time that it may be now, and the latest where that is another."""
    found = [reading.service]
    if reckoning is not None:
        found.append(reckoning.now(reading.steady))
    if reading.database is not None:
        found.append(reading.database)
    first, last = min(found), max(found)
    return (first,) if last - first <= CLOSE else (first, last)


def reckoned(reckoning: Reckoning | None, reading: Reading) -> Reckoning | None:
    """Return how to reckon after a reading: on from it where the service's clock went on as expected.

    After a jump the old reckoning stays, until the new time has gone on for an hour and the database says it too. None
    begins from a time that the database contradicts: a clock that was wrong from the start is right once it is set.
    """
    fresh = Reckoning(reading.service, reading.steady)
    contradicted = reading.database is not None and abs(reading.database - reading.service) > AGREE
    if reckoning is None:
        return None if contradicted else fresh
    jump = reading.service - reckoning.now(reading.steady)
    if abs(jump) <= AGREE:
        return fresh
    if contradicted or abs(jump - reckoning.jump) > AGREE:
        return Reckoning(reckoning.at, reckoning.steady, jump, reading.steady)
    return fresh if reading.steady - reckoning.jumped_at >= BELIEVED_SECONDS else reckoning
