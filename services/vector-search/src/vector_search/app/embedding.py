"""Embedding off the event loop, in slices, so that a waiting query never stands behind a long batch."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vector_search.app import metrics
from vector_search.app.ports import Embedder, Vectors

SLICE = 16  # texts a slice: 0.15 s on a slow core, and larger ones are no faster per text


class Embedding:
    """One thread calls the embedder, so its own threads are the only ones that compute (see MAX_WORKERS)."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")

    @property
    def model(self) -> str:
        """The model id that vectors are stored under."""
        return self._embedder.model

    async def texts(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in the order given.

        Sorted by length, a slice holds texts of about one length and little is computed for padding. Each slice is
        handed over when the one before is done: a query that comes meanwhile is next but one.
        """
        result = np.empty((len(texts), self._embedder.dimensions), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for begin in range(0, len(order), SLICE):
            rows = order[begin : begin + SLICE]
            result[rows] = await self._slice([texts[row] for row in rows])
        return result

    async def _slice(self, texts: list[str]) -> Vectors:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._measured, texts)

    def _measured(self, texts: list[str]) -> Vectors:
        begun = time.perf_counter()
        vectors = self._embedder.embed(texts)
        metrics.EMBED_SECONDS.observe(time.perf_counter() - begun)
        return vectors

    async def close(self) -> None:
        """Let the slice in progress end."""
        await asyncio.to_thread(self._thread.shutdown)
