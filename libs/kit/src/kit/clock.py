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
    """The machine's clock, plus the seconds in `offset_file` (the TEST_CLOCK setting), read again when it changes."""

    def __init__(self, offset_file: str | None = None) -> None:
        self._file = Path(offset_file) if offset_file else None
        self._seen = -1
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._current_offset()

    def monotonic(self) -> float:
        return time.monotonic()

    def _current_offset(self) -> timedelta:
        if self._file is not None:
            # A half-written or missing file keeps the last offset; the next call reads it again.
            with suppress(OSError, ValueError):
                changed = self._file.stat().st_mtime_ns
                if changed != self._seen:
                    self._offset = timedelta(seconds=float(self._file.read_text()))
                    self._seen = changed
        return self._offset


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
