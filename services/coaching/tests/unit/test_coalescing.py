"""Calls that come together are written together, and none spoils another."""

import asyncio
from collections.abc import Sequence

import pytest

from coaching.adapters.coalescing import Coalescer
from coaching.app.ports import StoreRefusedError, StoreUnavailableError


class Writer:
    """Doubles numbers; refuses negative ones, is unavailable for 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.most_at_once = 0
        self._running = 0

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        await asyncio.sleep(0.01)
        self._running -= 1
        if any(number < 0 for number in numbers):
            raise StoreRefusedError("22000")
        if 13 in numbers:
            raise StoreUnavailableError("08006")
        return [number * 2 for number in numbers]


async def test_what_comes_in_one_moment_is_one_batch_and_the_next_gathers_meanwhile() -> None:
    writer = Writer()
    write = Coalescer(writer, key=lambda _: "all", limit=50)
    first = asyncio.gather(*(write(number) for number in range(100, 120)))
    await asyncio.sleep(0.005)
    second = asyncio.gather(*(write(number) for number in range(120, 140)))
    assert await first == [number * 2 for number in range(100, 120)]
    assert await second == [number * 2 for number in range(120, 140)]
    assert [len(batch) for batch in writer.batches] == [20, 20]
    assert writer.most_at_once == 1


async def test_a_batch_has_a_limit_and_order_is_kept() -> None:
    writer = Writer()
    write = Coalescer(writer, key=lambda _: "all", limit=8)
    await asyncio.gather(*(write(number) for number in range(100, 120)))
    assert [number for batch in writer.batches for number in batch] == list(range(100, 120))
    assert max(len(batch) for batch in writer.batches) == 8


async def test_keys_are_written_apart_and_side_by_side() -> None:
    writer = Writer()
    write = Coalescer(writer, key=lambda number: number % 2)
    await asyncio.gather(*(write(number) for number in range(10)))
    assert sorted(sorted(batch) for batch in writer.batches) == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    assert writer.most_at_once == 2


async def test_one_that_is_refused_spoils_no_other() -> None:
    write = Coalescer(Writer(), key=lambda _: "all")
    results = await asyncio.gather(*(write(number) for number in (1, -1, 2)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], StoreRefusedError)
    assert results[2] == 4


async def test_when_the_database_is_away_every_caller_is_told() -> None:
    write = Coalescer(Writer(), key=lambda _: "all")
    results = await asyncio.gather(*(write(number) for number in (1, 13)), return_exceptions=True)
    assert all(isinstance(result, StoreUnavailableError) for result in results)
    assert await write(3) == 6


async def test_a_caller_that_gave_up_holds_up_nobody() -> None:
    write = Coalescer(Writer(), key=lambda _: "all")
    gone, stays = asyncio.create_task(write(1)), asyncio.create_task(write(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_batch_that_takes_too_long_holds_up_the_next_no_more() -> None:
    stuck = asyncio.Event()

    async def call(numbers: Sequence[int]) -> Sequence[int]:
        if 0 in numbers:
            await stuck.wait()
        return numbers

    write = Coalescer(call, key=lambda _: "all", patience_seconds=0.01)
    first = asyncio.create_task(write(0))
    await asyncio.sleep(0.005)
    async with asyncio.timeout(5):
        assert await write(1) == 1
    assert not first.done()
    stuck.set()
    assert await first == 0
