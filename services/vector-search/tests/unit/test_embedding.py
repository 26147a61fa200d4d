"""Embedding in slices, off the event loop."""

import asyncio
import threading
import time
from collections.abc import Sequence

import numpy as np

from vector_search.app.embedding import SLICE, Embedding
from vector_search.app.ports import Vectors
from vector_search.embedders.hashing import HashingEmbedder


class Watched(HashingEmbedder):
    """Notes what it is given, and how many calls are in it at once; waits a little in each."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls: list[list[str]] = []
        self.threads: set[str] = set()
        self.at_once = 0
        self.most_at_once = 0
        self._seconds = seconds
        self._guard = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        with self._guard:
            self.calls.append(list(texts))
            self.threads.add(threading.current_thread().name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self._seconds)
        with self._guard:
            self.at_once -= 1
        return super().embed(texts)


async def test_rows_come_in_the_order_of_the_texts() -> None:
    embedder = Watched()
    embedding = Embedding(embedder)
    texts = [f"{'long ' * (number * 7 % 50)}text {number}" for number in range(3 * SLICE + 5)]
    rows = await embedding.texts(texts)
    for text, row in zip(texts, rows, strict=True):
        assert np.array_equal(row, HashingEmbedder().embed([text])[0])
    await embedding.close()


async def test_slices_hold_texts_of_about_one_length() -> None:
    embedder = Watched()
    embedding = Embedding(embedder)
    await embedding.texts([("long " * 200 if number % 2 else "short") for number in range(2 * SLICE)])
    assert [len(call) for call in embedder.calls] == [SLICE, SLICE]
    assert [len(set(call)) for call in embedder.calls] == [1, 1]
    await embedding.close()


async def test_a_query_waits_for_one_slice_not_for_the_batch() -> None:
    embedder = Watched(seconds=0.02)
    embedding = Embedding(embedder)
    batch = asyncio.create_task(embedding.texts(["a text"] * 10 * SLICE))
    await asyncio.sleep(0.01)
    await embedding.texts(["the query"])
    assert not batch.done()
    assert embedder.calls.index(["the query"]) <= 2
    await batch
    await embedding.close()


async def test_one_text_is_embedded_at_a_time_off_the_event_loop() -> None:
    embedder = Watched(seconds=0.01)
    embedding = Embedding(embedder)
    await asyncio.gather(*(embedding.texts([f"query {number}"]) for number in range(5)))
    assert embedder.most_at_once == 1
    assert threading.current_thread().name not in embedder.threads
    await embedding.close()


async def test_no_texts_give_no_rows() -> None:
    embedding = Embedding(HashingEmbedder())
    assert (await embedding.texts([])).shape == (0, HashingEmbedder.dimensions)
    await embedding.close()
