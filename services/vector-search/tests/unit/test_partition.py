"""The exact scan over one person's vectors."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.coaching_texts import BEGIN, remembered
from vector_search.app.partition import Partition
from vector_search.app.ports import Entries
from vector_search.domain.texts import RememberedText, Role

DIMENSIONS = 8


def partition_of(count: int, seed: int) -> Partition:
    texts = tuple(
        RememberedText(f"text-{number}", f"text {number}", BEGIN + timedelta(minutes=number), Role.PERSON)
        for number in range(count)
    )
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return Partition(Entries(texts, rows / np.linalg.norm(rows, axis=1, keepdims=True)))


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 1000), st.integers(1, 100), st.sets(st.integers(0, 60).map("text-{}".format)))
def test_the_nearest_are_found_exactly_as_by_sorting_everything(
    count: int, seed: int, limit: int, exclude: set[str]
) -> None:
    partition = partition_of(count, seed)
    query = np.random.default_rng(seed + 1).normal(size=DIMENSIONS).astype(np.float32)
    query /= np.linalg.norm(query)
    found = partition.search(query, limit, exclude)
    scores = partition.entries.vectors @ query
    every = sorted(zip(partition.entries.texts, scores.tolist(), strict=True), key=lambda pair: -pair[1])
    expected = [text.text_id for text, _ in every if text.text_id not in exclude][:limit]
    assert [hit.text.text_id for hit in found] == expected
    assert all(-1.0 <= hit.score <= 1.0 for hit in found)


def test_of_equally_near_texts_the_newest_come_first() -> None:
    texts = tuple(remembered("same words") for _ in range(5))
    partition = Partition(Entries(texts, np.ones((5, 1), dtype=np.float32)))
    found = partition.search(np.ones(1, dtype=np.float32), 3)
    assert [hit.text for hit in found] == [texts[4], texts[3], texts[2]]


def test_added_texts_replace_those_with_the_same_id() -> None:
    partition = partition_of(3, seed=1)
    newer = remembered("newer", "text-1")
    row = np.ones((1, DIMENSIONS), dtype=np.float32)
    changed = partition.with_entries(Entries((newer,), row))
    assert [text.text_id for text in changed.entries.texts] == ["text-0", "text-2", "text-1"]
    assert changed.entries.texts[2] is newer
    assert np.array_equal(changed.entries.vectors[2], row[0])
    assert np.array_equal(changed.entries.vectors[:2], partition.entries.vectors[[0, 2]])
    assert len(partition) == 3  # a search in progress keeps what it had


def test_removed_texts_take_their_rows_with_them() -> None:
    partition = partition_of(4, seed=2)
    left = partition.without(["text-1", "no-such"])
    assert [text.text_id for text in left.entries.texts] == ["text-0", "text-2", "text-3"]
    assert np.array_equal(left.entries.vectors, partition.entries.vectors[[0, 2, 3]])
    assert partition.without(["no-such"]) is partition
    assert len(partition.emptied()) == 0


@pytest.mark.parametrize("count", [0, 1, 100])
def test_its_size_counts_at_least_its_vectors_and_texts(count: int) -> None:
    assert partition_of(count, seed=3).size_bytes >= count * (4 * DIMENSIONS + 6)
