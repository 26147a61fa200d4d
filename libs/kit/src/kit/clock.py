"""Time as a thing that is passed in; one file can shift it for all processes of a test."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What code asks for the time."""

    def now(self) -> datetime:
        """Return the aware time in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back, for durations."""


class SystemClock:
    """The machine's clock plus the seconds in `offset_file` (TEST_CLOCK): those of all clocks, then its own error."""

    def __init__(self, offset_file: str | None = None) -> None:
        self._file = Path(offset_file) if offset_file else None
        self._seen = -1
        self._offsets: tuple[float, ...] = (0.0, 0.0)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self._current_offsets()))

    def world_offset(self) -> timedelta:
        return timedelta(seconds=self._current_offsets()[0])

    def monotonic(self) -> float:
        return time.monotonic()

    def _current_offsets(self) -> tuple[float, ...]:
        if self._file is not None:
            with suppress(OSError, ValueError):  # a half-written or missing file keeps what it last said
                if (changed := self._file.stat().st_mtime_ns) != self._seen:
                    self._offsets = (*map(float, self._file.read_text().split()), 0.0)[:2]
                    self._seen = changed
        return self._offsets


class FixedClock:
    """A clock that stands until a test moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._seconds = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move both times by `seconds`."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds
