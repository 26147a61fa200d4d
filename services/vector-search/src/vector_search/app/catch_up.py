"""At start: make the index whole in the background, while searches are already answered from what is there."""

import asyncio
from collections.abc import Iterator

from kit.log import get_logger
from vector_search.app import metrics
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Progress, Rebuild
from vector_search.domain.errors import VectorSearchError
from vector_search.domain.scope import EVERYTHING

log = get_logger("vector_search.catch_up")


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
