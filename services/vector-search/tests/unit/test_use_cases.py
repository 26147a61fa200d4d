"""Upsert, search and delete, from a person's side."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.coaching_texts import new_scope, remembered
from vector_search.app.delete import delete
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import Change, Entries, VectorStore
from vector_search.app.search import Query, search, search_many
from vector_search.app.upsert import Upsert, upsert, upsert_many
from vector_search.domain.errors import InvalidRequestError, StoreUnavailableError
from vector_search.domain.scope import Scope
from vector_search.domain.texts import RememberedText
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.stores.memory import MemoryStore


async def found(index: Index, embedding: Embedding, scope: Scope, query: str, limit: int = 100) -> list[str]:
    return [hit.text.text for hit in await search(index, embedding, scope, query, limit)]


async def test_what_was_said_is_found_by_its_words(index: Index, embedding: Embedding) -> None:
    scope = new_scope()
    texts = [remembered("I want to walk each morning"), remembered("my tax return is late")]
    assert await upsert(index, scope, texts) == 2
    hits = await search(index, embedding, scope, "walk in the morning", 1)
    assert [(hit.text, hit.score > 0.3) for hit in hits] == [(texts[0], True)]


async def test_the_same_call_twice_changes_nothing(index: Index, embedding: Embedding, store: VectorStore) -> None:
    scope, texts = new_scope(), [remembered("one"), remembered("two")]
    assert await upsert(index, scope, texts) == 2
    version = await store.versions([scope])
    assert await index.put(scope, texts) == 0
    assert await upsert(index, scope, texts) == 2
    assert await store.versions([scope]) == version  # no write at all, where one process alone writes
    assert sorted(await found(index, embedding, scope, "one")) == ["one", "two"]


async def test_of_one_id_the_last_text_counts(index: Index, embedding: Embedding) -> None:
    scope = new_scope()
    assert await upsert(index, scope, [remembered("first", "a"), remembered("second", "a")]) == 1
    await upsert(index, scope, [remembered("third", "a")])
    assert await found(index, embedding, scope, "first") == ["third"]


async def test_excluded_texts_leave_room_for_others(index: Index, embedding: Embedding) -> None:
    scope, texts = new_scope(), [remembered("walk walk"), remembered("walk far"), remembered("tax return")]
    await upsert(index, scope, texts)
    hits = await search(index, embedding, scope, "walk walk", 2, [texts[0].text_id])
    assert [hit.text for hit in hits] == texts[1:]


class Away(MemoryStore):
    """Does not answer for what is of one organisation."""

    def __init__(self, organization_id: str) -> None:
        super().__init__(HashingEmbedder.dimensions)
        self._organization_id = organization_id

    async def load(self, scope: Scope) -> Entries:
        self._answer(scope)
        return await super().load(scope)

    async def upsert(self, entries: Mapping[Scope, Entries]) -> Mapping[Scope, Change]:
        self._answer(next(iter(entries)))
        return await super().upsert(entries)

    def _answer(self, scope: Scope) -> None:
        if scope.organization_id == self._organization_id:
            raise StoreUnavailableError("away")


@pytest.mark.guarantee("P5-vectors")
async def test_of_a_list_each_finds_their_own_and_one_that_fails_fails_no_other(embedding: Embedding) -> None:
    anna, away = new_scope(), new_scope()
    ben, store = new_scope(anna.organization_id), Away(away.organization_id)
    index = Index(store, embedding, Partitions(store, 1_000_000))
    upserts = [
        Upsert(anna, [remembered("walk one", "a"), remembered("walk two", "b")]),
        Upsert(away, [remembered("walk three")]),
        Upsert(ben, [remembered(" ")]),
        Upsert(ben, [remembered("my walk")]),
        Upsert(anna, [remembered("walk two again", "b")]),
    ]
    stored = await upsert_many(index, upserts)
    assert [type(one) for one in stored] == [int, StoreUnavailableError, InvalidRequestError, int, int]
    assert [one for one in stored if isinstance(one, int)] == [2, 1, 1]
    queries = [
        Query(ben, "walk"),
        Query(away, "walk"),
        Query(anna, ""),
        Query(anna, "walk", 5, ["a"]),
        Query(anna, "one", 1),
    ]
    found = await search_many(index, embedding, queries)
    assert [type(one) for one in found] == [list, StoreUnavailableError, InvalidRequestError, list, list]
    texts = [[hit.text.text for hit in one] for one in found if isinstance(one, list)]
    assert texts == [["my walk"], ["walk two again"], ["walk one"]]


async def test_lists_with_the_same_people_in_other_orders_do_not_wait_for_each_other(index: Index) -> None:
    people = [new_scope() for _ in range(4)]
    lists = [[Upsert(one, [remembered("hello")]) for one in order] for order in (people, people[::-1]) * 3]
    async with asyncio.timeout(10):
        stored = await asyncio.gather(*(upsert_many(index, one) for one in lists))
    assert stored == [[1] * 4] * 6
    assert [len(await index.digests(one)) for one in people] == [6] * 4


@pytest.mark.guarantee("P6-vectors")
async def test_what_is_deleted_is_not_found_again(index: Index, embedding: Embedding) -> None:
    scope, one, two = new_scope(), remembered("my secret"), remembered("my walk")
    await upsert(index, scope, [one, two])
    assert await found(index, embedding, scope, "my secret") == ["my secret", "my walk"]
    assert await delete(index, scope, [one.text_id, "no-such"], everything=False) == 1
    assert await found(index, embedding, scope, "my secret") == ["my walk"]
    assert await delete(index, scope, [], everything=True) == 1
    assert await found(index, embedding, scope, "my secret") == []


@pytest.mark.guarantee("P5-vectors")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.booleans()), max_size=20))
async def test_nobody_ever_finds_or_deletes_what_is_anothers(
    embedding: Embedding, steps: list[tuple[int, str, bool]]
) -> None:
    store = MemoryStore(HashingEmbedder.dimensions)
    index = Index(store, embedding, Partitions(store, 1_000_000))
    first = new_scope()
    same_organization, same_person = new_scope(first.organization_id), replace(new_scope(), person_id=first.person_id)
    people = [first, same_organization, same_person, new_scope()]
    expected: list[dict[str, str]] = [{} for _ in people]
    for number, text_id, keep in steps:
        if keep:
            text = remembered(f"person {number} said {text_id}", text_id)
            await upsert(index, people[number], [text])
            expected[number][text_id] = text.text
        else:
            count = await delete(index, people[number], [text_id], everything=False)
            assert count == (expected[number].pop(text_id, None) is not None)
        for scope, texts in zip(people, expected, strict=True):
            assert sorted(await found(index, embedding, scope, "person said")) == sorted(texts.values())


@pytest.mark.parametrize(("text_ids", "everything"), [([], False), (["a"], True), (["a/b"], False)])
async def test_an_unclear_deletion_is_refused(index: Index, text_ids: list[str], everything: bool) -> None:
    with pytest.raises(InvalidRequestError):
        await delete(index, new_scope(), text_ids, everything)


async def test_a_refused_upsert_stores_nothing(index: Index, embedding: Embedding) -> None:
    scope = new_scope()
    with pytest.raises(InvalidRequestError):
        await upsert(index, scope, [remembered("fine"), remembered(" ")])
    assert await found(index, embedding, scope, "fine") == []


async def test_a_deletion_comes_after_an_upsert_that_was_there_before_it(index: Index, embedding: Embedding) -> None:
    scope, texts = new_scope(), [remembered(f"text {number}") for number in range(200)]
    storing = asyncio.create_task(upsert(index, scope, texts))
    await asyncio.sleep(0)
    await delete(index, scope, [], everything=True)
    await storing
    assert await found(index, embedding, scope, "text") == []


class Forgetful(MemoryStore):
    """Says that it deletes."""

    async def delete(self, scope: Scope, text_ids: Collection[str]) -> Change:
        return Change(len(text_ids))


async def test_a_deletion_that_did_not_happen_is_an_error(embedding: Embedding) -> None:
    store = Forgetful(HashingEmbedder.dimensions)
    index = Index(store, embedding, Partitions(store, 1_000_000))
    scope, text = new_scope(), remembered("hello")
    await upsert(index, scope, [text])
    with pytest.raises(StoreUnavailableError):
        await delete(index, scope, [text.text_id], everything=False)


async def test_a_text_that_is_there_already_is_not_embedded_again(store: MemoryStore) -> None:
    calls: list[int] = []

    class Counted(HashingEmbedder):
        def embed(self, texts: Collection[str]):  # type: ignore[no-untyped-def]  # as the class above says
            calls.append(len(texts))
            return super().embed(list(texts))

    embedding = Embedding(Counted())
    index = Index(store, embedding, Partitions(store, 1_000_000))
    scope, texts = new_scope(), [remembered("one"), remembered("two")]
    await upsert(index, scope, texts)
    changed: list[RememberedText] = [texts[0], replace(texts[1], text="two, changed")]
    await upsert(index, scope, changed)
    assert calls == [2, 1]
    await embedding.close()
