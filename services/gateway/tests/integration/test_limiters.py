"""One behaviour of rate limiters, shown by the local one and by Redis."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.adapters.local_limiter import LocalRateLimiter
from gateway.adapters.redis_limiter import PAUSE_SECONDS, FallbackRateLimiter, RedisRateLimiter, connect
from gateway.app.metrics import LIMITER_FALLBACKS
from gateway.app.ports import RateLimiter
from gateway.domain.limits import Bucket, Budget, Verdict
from kit.clock import FixedClock
from support.ports import free_port

SLOW = Budget("slow", per_minute=6, burst=2)
FAST = Budget("fast", per_minute=600, burst=100)


@pytest.fixture(params=["local", "redis"])
async def limiter(request: pytest.FixtureRequest, fixed_clock: FixedClock) -> AsyncIterator[RateLimiter]:
    if request.param == "local":
        yield LocalRateLimiter(fixed_clock)
        return
    client: Redis = connect(request.getfixturevalue("valkey_url"), 10)
    yield RedisRateLimiter(client, fixed_clock)
    await client.aclose()


async def taken(limiter: RateLimiter, *buckets: Bucket, times: int = 1) -> list[bool]:
    return [(await limiter.take(buckets)).allowed for _ in range(times)]


async def test_a_burst_then_the_rate(limiter: RateLimiter, fixed_clock: FixedClock) -> None:
    bucket = Bucket(SLOW, "a")
    assert await taken(limiter, bucket, times=3) == [True, True, False]
    assert await limiter.take([bucket]) == Verdict(False, 10, "slow")
    fixed_clock.advance(10)
    assert await taken(limiter, bucket, times=2) == [True, False]


@pytest.mark.parametrize("most", [1, 3])
async def test_redis_max_connections_bounds_the_connections(
    valkey_url: str, fixed_clock: FixedClock, most: int
) -> None:
    watching: Redis = connect(valkey_url, 1)
    before = len(await watching.client_list())
    client: Redis = connect(valkey_url, most)
    limiter = RedisRateLimiter(client, fixed_clock)
    await asyncio.gather(*(limiter.take([Bucket(FAST, str(number))]) for number in range(20)))
    assert len(await watching.client_list()) == before + most
    await client.aclose()
    await watching.aclose()


async def test_subjects_and_budgets_are_counted_apart(limiter: RateLimiter) -> None:
    await taken(limiter, Bucket(SLOW, "a"), times=2)
    assert await taken(limiter, Bucket(SLOW, "b"), Bucket(FAST, "a")) == [True]
    assert await taken(limiter, Bucket(SLOW, "a"), Bucket(FAST, "a")) == [False]


async def test_a_long_rest_gives_no_more_than_a_burst(limiter: RateLimiter, fixed_clock: FixedClock) -> None:
    await taken(limiter, Bucket(SLOW, "a"), times=2)
    fixed_clock.advance(100_000)
    assert await taken(limiter, Bucket(SLOW, "a"), times=3) == [True, True, False]


async def test_a_clock_that_goes_back_blocks_nobody(limiter: RateLimiter, fixed_clock: FixedClock) -> None:
    await taken(limiter, Bucket(SLOW, "a"))
    fixed_clock.advance(-3600)
    assert await taken(limiter, Bucket(SLOW, "a"), times=2) == [True, False]


async def test_waiting_as_told_is_enough(limiter: RateLimiter, fixed_clock: FixedClock) -> None:
    for per_minute in (1, 7, 13, 59, 61):
        bucket = Bucket(Budget(f"rate-{per_minute}", per_minute, 1), "a")
        await limiter.take([bucket])
        refused = await limiter.take([bucket])
        fixed_clock.advance(refused.retry_after)
        assert (await limiter.take([bucket])).allowed


async def test_counters_in_redis_end_by_themselves(valkey_url: str, fixed_clock: FixedClock) -> None:
    client = connect(valkey_url, 10)
    await RedisRateLimiter(client, fixed_clock).take([Bucket(SLOW, "a")])
    keys = await client.keys("*")
    assert keys == [b"limit:slow:a"]
    assert 0 < await client.pttl(keys[0]) <= 21_000
    await client.aclose()


async def test_replicas_share_one_count(valkey_url: str, fixed_clock: FixedClock) -> None:
    clients = [connect(valkey_url, 10) for _ in range(3)]
    replicas = [RedisRateLimiter(client, fixed_clock) for client in clients]
    answers = [(await replica.take([Bucket(SLOW, "a")])).allowed for replica in replicas]
    assert answers == [True, True, False]
    for client in clients:
        await client.aclose()


async def test_the_local_one_forgets_who_was_away_longest(fixed_clock: FixedClock) -> None:
    limiter = LocalRateLimiter(fixed_clock, max_buckets=2)
    for subject in ("a", "a", "b", "c"):
        await limiter.take([Bucket(SLOW, subject)])
    assert await taken(limiter, Bucket(SLOW, "a")) == [True]


async def test_without_redis_people_still_reach_their_coach(fixed_clock: FixedClock) -> None:
    client = connect(f"redis://127.0.0.1:{free_port()}/0", 10)
    limiter = FallbackRateLimiter(RedisRateLimiter(client, fixed_clock), LocalRateLimiter(fixed_clock), fixed_clock)
    before = LIMITER_FALLBACKS._value.get()
    assert await taken(limiter, Bucket(SLOW, "a"), times=3) == [True, True, False]
    assert LIMITER_FALLBACKS._value.get() == before + 3
    await client.aclose()


class BreakableLimiter:
    def __init__(self) -> None:
        self.broken = True
        self.calls = 0

    async def take(self, buckets: Sequence[Bucket]) -> Verdict:
        self.calls += 1
        if self.broken:
            raise RedisConnectionError
        return Verdict(allowed=True)


async def test_redis_is_asked_again_after_a_pause(fixed_clock: FixedClock) -> None:
    shared = BreakableLimiter()
    limiter = FallbackRateLimiter(shared, LocalRateLimiter(fixed_clock), fixed_clock)
    await taken(limiter, Bucket(SLOW, "a"), times=2)
    assert shared.calls == 1
    shared.broken = False
    fixed_clock.advance(PAUSE_SECONDS)
    assert await taken(limiter, Bucket(SLOW, "a"), times=5) == [True] * 5
    assert shared.calls == 6
