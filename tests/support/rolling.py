"""Replicas that come and go while they are asked: what a rolling update does to those who call."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc

CALLERS = 20


class Outcomes(Counter[str]):
    """How often calls ended in which way: ok, or an error's code."""

    async def until(self, more: int, seconds: float = 30) -> None:
        """Wait for so many answers more."""
        wanted = self["ok"] + more
        async with asyncio.timeout(seconds):
            while self["ok"] < wanted:  # noqa: ASYNC110  # the count itself
                await asyncio.sleep(0.01)


@asynccontextmanager
async def kept_asking(call: Callable[[], Awaitable[object]], callers: int = CALLERS) -> AsyncIterator[Outcomes]:
    """Make the call over and over, by so many at once, for as long as the block lasts; all calls end before it does."""
    outcomes, leaving = Outcomes(), asyncio.Event()

    async def ask() -> None:
        while not leaving.is_set():
            try:
                await call()
                outcomes["ok"] += 1
            except grpc.aio.AioRpcError as error:
                outcomes[f"{error.code().name} {error.details()}"] += 1

    asking = [asyncio.create_task(ask()) for _ in range(callers)]
    try:
        yield outcomes
    finally:
        leaving.set()
        await asyncio.gather(*asking)
