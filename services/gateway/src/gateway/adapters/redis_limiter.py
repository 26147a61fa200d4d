"""Rate limits shared by all replicas, in Redis; what this process counts alone stands in while Redis is away."""

from collections.abc import Sequence

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from gateway.app.metrics import LIMITER_FALLBACKS
from gateway.app.ports import RateLimiter
from gateway.domain.limits import Bucket, Verdict, together, wait
from kit.clock import Clock
from kit.log import error_name, get_logger

ANSWER_SECONDS = 0.25  # Redis beside us answers in under a millisecond; a person should not wait for a counter
PAUSE_SECONDS = 5.0  # after a failure, before Redis is asked again

# The same rule as domain.limits.take, for several buckets at once; -1 for a token, or how full the empty bucket is.
SCRIPT = """
local now = tonumber(ARGV[1])
local found = {}
for i, key in ipairs(KEYS) do
  local rate = tonumber(ARGV[2 * i]) / 60
  local burst = tonumber(ARGV[2 * i + 1])
  local level = redis.call('HMGET', key, 'tokens', 'at')
  local at = math.max(tonumber(level[2]) or now, now)
  local tokens = math.min(burst, (tonumber(level[1]) or burst) + (at - (tonumber(level[2]) or now)) * rate)
  if tokens >= 1 - 1e-6 then
    tokens = math.max(0, tokens - 1)
    found[i] = '-1'
  else
    found[i] = tostring(tokens)
  end
  redis.call('HSET', key, 'tokens', tokens, 'at', at)
  redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000) + 1000)
end
return found
"""

log = get_logger("gateway.limits")


def connect(url: str, max_connections: int) -> Redis:
    """Return a client whose calls fail quickly; callers beyond `max_connections` wait for a connection, as long."""
    pool = BlockingConnectionPool.from_url(
        url, max_connections=max_connections, timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS,
    )  # fmt: skip
    return Redis.from_pool(pool)


class RedisRateLimiter:
    """Counts in Redis; raises RedisError, OSError or TimeoutError where it does not answer."""

    def __init__(self, client: Redis, clock: Clock) -> None:
        self._clock = clock
        self._script = client.register_script(SCRIPT)

    async def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Take a token from each bucket that has one, in one round trip."""
        keys = [f"limit:{bucket.budget.name}:{bucket.subject}" for bucket in buckets]
        args: list[str | float] = [self._clock.now().timestamp()]
        for bucket in buckets:
            args += [bucket.budget.per_minute, bucket.budget.burst]
        found = await self._script(keys=keys, args=args)
        return together([_verdict(bucket, float(value)) for bucket, value in zip(buckets, found, strict=True)])


def _verdict(bucket: Bucket, value: float) -> Verdict:
    if value < 0:
        return Verdict(allowed=True)
    return Verdict(allowed=False, retry_after=wait(value, bucket.budget), budget=bucket.budget.name)


class FallbackRateLimiter:
    """Implements RateLimiter: the shared one, or for a while the local one when that fails."""

    def __init__(self, shared: RateLimiter, local: RateLimiter, clock: Clock) -> None:
        self._shared = shared
        self._local = local
        self._clock = clock
        self._ask_again_at = float("-inf")

    async def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Never raises: without Redis each process limits what it sees itself, and more is let through."""
        if self._clock.monotonic() >= self._ask_again_at:
            try:
                return await self._shared.take(buckets)
            except (RedisError, OSError, TimeoutError) as error:
                self._ask_again_at = self._clock.monotonic() + PAUSE_SECONDS
                log.warning("rate_limiter_unreachable", error=error_name(error), pause_seconds=PAUSE_SECONDS)
        LIMITER_FALLBACKS.inc()
        return await self._local.take(buckets)
