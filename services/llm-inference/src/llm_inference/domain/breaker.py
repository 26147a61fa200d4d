"""A backend that failed repeatedly is left alone for a while, longer each time."""


class Breaker:
    """Opens after `threshold` failures in a row; times are monotonic seconds that the caller passes in."""

    def __init__(self, threshold: int = 3, first_seconds: float = 1.0, most_seconds: float = 30.0) -> None:
        self._threshold = threshold
        self._first = first_seconds
        self._most = most_seconds
        self._failures = 0
        self._closed_at = 0.0

    def wait_seconds(self, now: float) -> float:
        """Seconds until the backend may be tried again; 0 when it may be tried now."""
        return max(0.0, self._closed_at - now)

    def succeeded(self) -> None:
        """The backend answered: forget its failures."""
        self._failures = 0
        self._closed_at = 0.0

    def failed(self, now: float) -> None:
        """The backend failed; from the threshold on each failure doubles the pause."""
        self._failures += 1
        over = self._failures - self._threshold
        if over >= 0:
            self._closed_at = now + min(self._most, self._first * 2.0 ** min(over, 16))
