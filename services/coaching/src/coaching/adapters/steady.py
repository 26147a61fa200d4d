"""Seconds that only go forward, also while the machine sleeps."""

import time

# Linux counts sleep in CLOCK_BOOTTIME, macOS in CLOCK_MONOTONIC.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_seconds() -> float:
    """Return seconds since some moment in the past; whoever sets the machine's clock does not change it."""
    return time.clock_gettime(_CLOCK)
