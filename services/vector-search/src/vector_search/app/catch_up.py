"""Make the index whole in the background, while searches are already answered from what is there."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator

from kit.backoff import Backoff
from kit.log import get_logger
from vector_search.app import metrics
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Progress, Rebuild
from vector_search.domain.errors import StoreUnavailableError, VectorSearchError
from vector_search.domain.scope import EVERYTHING

LOOK_AGAIN_SECONDS = 30.0  # whether a server still has what it had
log = get_logger("vector_search.catch_up")


async def until_open(open_store: Callable[[], Awaitable[VectorStore]], delays: Iterator[float]) -> VectorStore:
    """Open the store, trying again after each delay while it does not answer: a server may start later than we do."""
    for delay in delays:
        try:
            return await open_store()
        except StoreUnavailableError as error:
            log.warning("store_awaited", reason=str(error), seconds=round(delay, 1))
            await asyncio.sleep(delay)
    raise StoreUnavailableError("the store did not open")


async def keep_whole(
    store: VectorStore, rebuild: Rebuild, backoff: Backoff, look_again_seconds: float = LOOK_AGAIN_SECONDS
) -> None:
    """Catch up; and again whenever a server that others share has lost its data."""
    await catch_up(store, rebuild, backoff.delays())
    while store.shared:
        await asyncio.sleep(look_again_seconds * random.uniform(0.8, 1.2))  # replicas should not all begin at once
        await catch_up(store, rebuild, backoff.delays())


async def catch_up(store: VectorStore, rebuild: Rebuild, delays: Iterator[float]) -> None:
    """Rebuild until it has succeeded once, trying again after each delay.

    A store of one process alone is always compared with coaching, for what it may have missed while it was down or
    when it was killed; that embeds only the difference. A shared store is compared only until it was complete once.
    """
    for delay in delays:
        try:
            complete = await store.is_complete()
            metrics.INDEX_COMPLETE.set(complete)
            if complete and store.shared:
                return
            log.info("index_catch_up_started", complete=complete)
            last = Progress(0, 0)
            async for progress in rebuild.run(EVERYTHING):
                last = progress
            log.info("index_caught_up", texts_done=last.texts_done, removed=last.removed)
        except VectorSearchError as error:
            log.warning("index_catch_up_waits", reason=type(error).__name__, seconds=round(delay, 1))
            await asyncio.sleep(delay)
        else:
            return
