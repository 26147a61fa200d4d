"""What is kept in memory is bounded, and never older than the store."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from fakes.coaching_texts import new_scope, remembered
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import Change, Entries
from vector_search.domain.scope import Scope
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.stores.memory import MemoryStore


class Counting(MemoryStore):
    """Counts loads; told to, it hides its versions as a store does during a write, or in its changes."""

    def __init__(self) -> None:
        super().__init__(HashingEmbedder.dimensions)
        self.loads = 0
        self.writing = False
        self.secretive = False
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def load(self, scope: Scope) -> Entries:
        """Read page by page, as the real ones do: what is called meanwhile comes before the last text is read."""
        self.loads += 1
        if self.meanwhile is None:
            return await super().load(scope)
        first = await super().load(scope)
        await self.meanwhile()
        place = len(first.texts) - 1
        rest = await super().load(scope)
        return Entries(
            (*first.texts[:place], *rest.texts[place:]), np.concatenate([first.vectors[:place], rest.vectors[place:]])
        )

    async def versions(self, scopes: Collection[Scope]) -> Mapping[Scope, str | None]:
        return dict.fromkeys(scopes) if self.writing else await super().versions(scopes)

    async def upsert(self, entries: Mapping[Scope, Entries]) -> Mapping[Scope, Change]:
        return {scope: self._told(change) for scope, change in (await super().upsert(entries)).items()}

    async def delete(self, scope: Scope, text_ids: Collection[str]) -> Change:
        return self._told(await super().delete(scope, text_ids))

    def _told(self, change: Change) -> Change:
        return Change(change.count) if self.secretive else change


@pytest.fixture
def store() -> Counting:
    return Counting()


async def get(partitions: Partitions, scope: Scope) -> Any:
    [found] = await partitions.get([scope])
    return found


def ids(partition: Any) -> list[str]:
    return [text.text_id for text in partition.entries.texts]


async def test_a_person_is_loaded_once_while_nothing_changes(store: Counting, partitions: Partitions) -> None:
    scope = new_scope()
    assert await get(partitions, scope) is await get(partitions, scope)
    assert store.loads == 1


async def test_a_write_of_another_process_is_seen_at_the_next_use(
    store: Counting, partitions: Partitions, embedding: Embedding
) -> None:
    scope, text = new_scope(), remembered("hello")
    elsewhere = Index(store, embedding, Partitions(store, 1_000_000))
    await get(partitions, scope)
    await elsewhere.put(scope, [text])
    assert ids(await get(partitions, scope)) == [text.text_id]
    await elsewhere.remove(scope, [text.text_id])
    assert ids(await get(partitions, scope)) == []


async def test_our_own_writes_are_followed_without_loading_again(
    store: Counting, partitions: Partitions, index: Index
) -> None:
    scope, one, two = new_scope(), remembered("one"), remembered("two")
    await get(partitions, scope)
    await index.put(scope, [one, two])
    await index.remove(scope, [one.text_id])
    assert ids(await get(partitions, scope)) == [two.text_id]
    await index.remove_everything(scope)
    assert ids(await get(partitions, scope)) == []
    assert store.loads == 1


async def test_where_others_may_write_too_our_own_writes_are_loaded(
    store: Counting, partitions: Partitions, index: Index
) -> None:
    store.secretive = True
    scope, text = new_scope(), remembered("one")
    await get(partitions, scope)
    await index.put(scope, [text])
    assert ids(await get(partitions, scope)) == [text.text_id]
    assert store.loads == 2


async def test_nothing_is_kept_during_a_write(store: Counting, partitions: Partitions) -> None:
    scope = new_scope()
    store.writing = True
    await get(partitions, scope)
    await get(partitions, scope)
    store.writing = False
    await get(partitions, scope)
    assert store.loads == 3


async def test_what_was_loaded_while_we_wrote_is_loaded_again(
    store: Counting, partitions: Partitions, index: Index
) -> None:
    scope, gone, stays = new_scope(), remembered("gone"), remembered("stays")
    await index.put(scope, [gone, stays])
    changes: list[Change] = []

    async def write() -> None:
        changes.append(await store.delete(scope, [gone.text_id]))

    # The first page was read with both texts, the second, after the deletion, ends where the text that stays had been.
    store.meanwhile = write
    assert ids(await get(partitions, scope)) == [gone.text_id]
    partitions.apply(scope, changes[0], lambda partition: partition.without([gone.text_id]))
    store.meanwhile = None
    assert ids(await get(partitions, scope)) == [stays.text_id]


async def test_who_was_used_longest_ago_makes_room(store: Counting, index: Index) -> None:
    scopes = [new_scope() for _ in range(3)]
    for scope in scopes:
        await index.put(scope, [remembered("word " * 100)])
    size = (await get(Partitions(store, 1_000_000), scopes[0])).size_bytes
    partitions = Partitions(store, 2 * size)
    store.loads = 0
    for scope in (scopes[0], scopes[1], scopes[0], scopes[2], scopes[0]):
        await get(partitions, scope)
    assert store.loads == 3  # the first one stayed, for it was used again
    await get(partitions, scopes[1])
    assert store.loads == 4


async def test_a_person_larger_than_the_bound_is_searched_but_not_kept(store: Counting, index: Index) -> None:
    scope, text = new_scope(), remembered("hello")
    await index.put(scope, [text])
    store.loads = 0
    partitions = Partitions(store, 100)
    assert ids(await get(partitions, scope)) == [text.text_id]
    await get(partitions, scope)
    assert store.loads == 2


async def test_the_metrics_say_what_is_held(store: Counting, partitions: Partitions, index: Index) -> None:
    scope = new_scope()
    await get(partitions, scope)
    await index.put(scope, [remembered("one"), remembered("two")])
    assert REGISTRY.get_sample_value("vectors_in_memory") == 2
    assert (REGISTRY.get_sample_value("vector_bytes_in_memory") or 0) > 2 * 4 * HashingEmbedder.dimensions
    store.secretive = True
    await index.put(scope, [remembered("three")])
    assert REGISTRY.get_sample_value("vectors_in_memory") == 0
