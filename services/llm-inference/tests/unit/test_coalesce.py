"""Reading ahead of a slow consumer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from llm_inference.app.coalesce import batches


async def numbers(count: int, pause: float = 0.0) -> AsyncGenerator[int, None]:
    for number in range(count):
        if pause:
            await asyncio.sleep(pause)
        yield number


async def test_the_first_item_does_not_wait_for_the_second() -> None:
    async with aclosing(batches(numbers(2, pause=0.05))) as stream:
        assert await anext(stream) == [0]


async def test_what_came_while_nobody_read_is_one_batch() -> None:
    async with aclosing(batches(numbers(50))) as stream:
        first = await anext(stream)
        await asyncio.sleep(0.01)
        rest = [item for batch in [batch async for batch in stream] for item in batch]
    assert first + rest == list(range(50))


async def test_nothing_is_lost_and_the_error_comes_last() -> None:
    async def failing() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise LookupError

    seen: list[int] = []

    async def read() -> None:
        async for batch in batches(failing()):
            seen.extend(batch)

    with pytest.raises(LookupError):
        await read()
    assert seen == [1, 2]


async def test_closing_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            while True:
                await asyncio.sleep(0.001)
                yield 1
        finally:
            closed.set()

    async with aclosing(batches(endless())) as stream:
        await anext(stream)
    assert closed.is_set()


async def test_an_empty_source_gives_nothing() -> None:
    assert [batch async for batch in batches(numbers(0))] == []
