"""Rate limits counted by this process alone: for tests, and while Redis does not answer."""

from collections import OrderedDict
from collections.abc import Sequence

from gateway.domain.limits import Bucket, Level, Verdict, take, together
from kit.clock import Clock

MAX_BUCKETS = 100_000  # about 20 MB; the one unused for longest goes first


class LocalRateLimiter:
    """Implements RateLimiter in memory."""

    def __init__(self, clock: Clock, max_buckets: int = MAX_BUCKETS) -> None:
        self._clock = clock
        self._max_buckets = max_buckets
        self._levels: OrderedDict[tuple[str, str], Level] = OrderedDict()

    async def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Take a token from each bucket that has one."""
        now = self._clock.now().timestamp()
        return together([self._take(bucket, now) for bucket in buckets])

    def _take(self, bucket: Bucket, now: float) -> Verdict:
        key = (bucket.budget.name, bucket.subject)
        level, verdict = take(self._levels.pop(key, None), bucket.budget, now)
        self._levels[key] = level
        if len(self._levels) > self._max_buckets:
            self._levels.popitem(last=False)
        return verdict
