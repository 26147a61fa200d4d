"""Reading ahead of a slow consumer: what has come meanwhile is handed over at once, and nothing waits for more."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def batches(source: AsyncGenerator[T, None]) -> AsyncGenerator[list[T], None]:
    """Yield what `source` has produced since the last time, in order. Closing this closes the source."""
    ready: list[T] = []
    wake = asyncio.Event()

    async def pump() -> None:
        async with aclosing(source):
            async for item in source:
                ready.append(item)
                wake.set()

    task = asyncio.create_task(pump())
    task.add_done_callback(lambda _: wake.set())
    try:
        ended = False
        while not ended:
            await wake.wait()
            wake.clear()
            ended = task.done()
            if ready:
                batch = ready.copy()
                ready.clear()
                yield batch
        await task  # raises what the source raised
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
