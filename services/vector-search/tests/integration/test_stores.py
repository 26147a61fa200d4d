"""One behaviour suite for every store: the fake is held to what the real ones do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from pydantic import SecretStr

from fakes.coaching_texts import new_scope, remembered
from vector_search.app.ports import Entries, VectorStore
from vector_search.domain.scope import EVERYTHING, Reach, Scope
from vector_search.domain.texts import RememberedText, Role
from vector_search.settings import VectorSearchSettings
from vector_search.stores.registry import STORES

DIMENSIONS = 16
OpenAgain = Callable[[str], Awaitable[VectorStore]]


def entries(*texts: RememberedText, seed: int = 0) -> Entries:
    rows = np.random.default_rng(seed).normal(size=(len(texts), DIMENSIONS)).astype(np.float32)
    return Entries(texts, rows / np.linalg.norm(rows, axis=1, keepdims=True))


def by_id(found: Entries) -> dict[str, tuple[RememberedText, list[float]]]:
    return {text.text_id: (text, row.tolist()) for text, row in zip(found.texts, found.vectors, strict=True)}


@pytest.fixture(params=sorted(STORES))
async def open_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Callable[[str], Awaitable[VectorStore]]]:
    """Opens the store under a model id; what it opens is closed at the end."""
    url = request.getfixturevalue("chroma_url") if request.param == "chroma_server" else "http://127.0.0.1:1"
    settings = VectorSearchSettings(vectors_dir=tmp_path / "vectors", chromadb_url=SecretStr(url))
    opened: list[VectorStore] = []

    async def open_it(model: str) -> VectorStore:
        opened.append(await STORES[request.param](settings, model, DIMENSIONS))
        return opened[-1]

    yield open_it
    for one in opened:
        await one.close()


@pytest.fixture
async def store(open_store: OpenAgain) -> VectorStore:
    return await open_store(f"model-{uuid4()}")


@pytest.fixture
def scope() -> Scope:
    return new_scope()


async def test_what_is_stored_is_loaded_exactly(store: VectorStore, scope: Scope) -> None:
    texts = (remembered("Laufen tut mir gut 🏃"), remembered("Good, when?", role=Role.COACH), remembered("x" * 32_000))
    given = entries(*texts)
    change = (await store.upsert({scope: given}))[scope]
    assert change.count == 3
    assert by_id(await store.load(scope)) == by_id(given)


async def test_a_person_without_texts_has_an_empty_matrix_of_the_right_width(store: VectorStore, scope: Scope) -> None:
    found = await store.load(scope)
    assert found.texts == ()
    assert found.vectors.shape == (0, DIMENSIONS)
    assert found.vectors.dtype == np.float32


async def test_the_same_id_replaces(store: VectorStore, scope: Scope) -> None:
    first, second = remembered("one", "same"), remembered("two", "same")
    await store.upsert({scope: entries(first, seed=1)})
    await store.upsert({scope: entries(second, seed=2)})
    assert by_id(await store.load(scope)) == by_id(entries(second, seed=2))
    assert await store.digests(scope) == {"same": second.digest()}


async def test_digests_of_named_texts_are_those_that_are_there(store: VectorStore, scope: Scope) -> None:
    one, two = remembered("one"), remembered("two")
    await store.upsert({scope: entries(one, two)})
    assert await store.digests(scope, [one.text_id, "no-such"]) == {one.text_id: one.digest()}
    assert await store.digests(scope, []) == {}
    assert await store.digests(scope) == {one.text_id: one.digest(), two.text_id: two.digest()}


async def test_deleting_counts_what_was_there_and_leaves_the_rest(store: VectorStore, scope: Scope) -> None:
    one, two = remembered("one"), remembered("two")
    await store.upsert({scope: entries(one, two)})
    assert (await store.delete(scope, [one.text_id, "no-such"])).count == 1
    assert (await store.delete(scope, [one.text_id])).count == 0
    assert [text.text_id for text in (await store.load(scope)).texts] == [two.text_id]


async def test_deleting_a_person_leaves_nothing(store: VectorStore, scope: Scope) -> None:
    await store.upsert({scope: entries(*[remembered(f"text {number}") for number in range(5)])})
    assert (await store.delete_person(scope)).count == 5
    assert (await store.load(scope)).texts == ()
    assert (await store.delete_person(scope)).count == 0
    assert scope not in await store.inventory(EVERYTHING)


async def test_deleting_where_nothing_was_ever_stored_is_no_error(store: VectorStore, scope: Scope) -> None:
    assert (await store.delete(scope, ["a"])).count == 0
    assert (await store.delete_person(scope)).count == 0


@pytest.mark.guarantee("P5-vectors")
async def test_two_organisations_never_see_each_other_even_with_the_same_person_and_text_ids(
    store: VectorStore,
) -> None:
    here = new_scope()
    there = Scope(new_scope().organization_id, here.person_id)
    mine, theirs = remembered("mine", "same"), remembered("theirs", "same")
    await store.upsert({here: entries(mine, seed=1)})
    await store.upsert({there: entries(theirs, seed=2)})
    assert [text.text for text in (await store.load(here)).texts] == ["mine"]
    assert set(await store.inventory(Reach(here.organization_id))) == {here}
    await store.delete(here, ["same"])
    await store.delete_person(here)
    assert [text.text for text in (await store.load(there)).texts] == ["theirs"]


@pytest.mark.guarantee("P5-vectors")
async def test_two_people_of_one_organisation_never_see_each_other(store: VectorStore) -> None:
    one = new_scope()
    other = new_scope(one.organization_id)
    await store.upsert({one: entries(remembered("one's", "same"), seed=1)})
    await store.upsert({other: entries(remembered("other's", "same"), seed=2)})
    await store.delete(one, ["same"])
    assert (await store.load(one)).texts == ()
    assert [text.text for text in (await store.load(other)).texts] == ["other's"]


async def test_the_inventory_names_everybody_within_reach(store: VectorStore) -> None:
    one = new_scope()
    beside, elsewhere = new_scope(one.organization_id), new_scope()
    text = remembered("hello")
    for scope in (one, beside, elsewhere):
        await store.upsert({scope: entries(text)})
    digests = {text.text_id: text.digest()}
    assert await store.inventory(Reach(one.organization_id)) == {one: digests, beside: digests}
    everybody = await store.inventory(EVERYTHING)
    assert {scope: everybody[scope] for scope in (one, beside, elsewhere)} == dict.fromkeys(
        (one, beside, elsewhere), digests
    )


async def test_a_version_stands_still_while_nothing_is_written(store: VectorStore, scope: Scope) -> None:
    await store.upsert({scope: entries(remembered("hello"))})
    first = (await store.versions([scope]))[scope]
    await store.load(scope)
    await store.upsert({new_scope(scope.organization_id): entries(remembered("somebody else's"))})
    assert first is not None
    assert (await store.versions([scope]))[scope] == first


async def test_every_write_sets_a_version_that_never_was_before(store: VectorStore, scope: Scope) -> None:
    seen = [(await store.versions([scope]))[scope]]
    text = remembered("hello")
    await store.upsert({scope: entries(text)})
    seen.append((await store.versions([scope]))[scope])
    await store.delete(scope, [text.text_id])
    seen.append((await store.versions([scope]))[scope])
    await store.delete_person(scope)
    seen.append((await store.versions([scope]))[scope])
    await store.upsert({scope: entries(text)})
    seen.append((await store.versions([scope]))[scope])
    assert len(set(seen)) == len(seen)
    assert None not in seen


async def test_a_write_of_nothing_sets_a_version_and_changes_nothing_else(store: VectorStore, scope: Scope) -> None:
    text, stranger = remembered("hello"), new_scope(scope.organization_id)
    await store.upsert({scope: entries(text)})
    before = await store.versions([scope, stranger])
    changes = await store.upsert({scope: entries(), stranger: entries()})
    after = await store.versions([scope, stranger])
    assert [changes[one].count for one in (scope, stranger)] == [0, 0]
    assert [after[one] not in (None, before[one]) for one in (scope, stranger)] == [True] * 2
    assert await store.inventory(Reach(scope.organization_id)) == {scope: {text.text_id: text.digest()}}


async def test_many_people_are_written_together_each_under_their_own_version(store: VectorStore, scope: Scope) -> None:
    people = [scope, *(new_scope(scope.organization_id) for _ in range(2))]
    given = {one: entries(remembered("mine", "same"), remembered(f"{row}"), seed=row) for row, one in enumerate(people)}
    before = await store.versions(people)
    changes = await store.upsert(given)
    after = await store.versions(people)
    assert [by_id(await store.load(one)) for one in people] == [by_id(given[one]) for one in people]
    assert [changes[one].count for one in people] == [2, 2, 2]
    assert [after[one] not in (None, before[one]) for one in people] == [True] * 3
    stranger = new_scope(scope.organization_id)
    known = await store.known({one: ["same", "other"] for one in [*people, stranger]})
    assert known == {**{one: {"same": given[one].texts[0].digest()} for one in people}, stranger: {}}


async def test_no_write_spans_two_organisations(store: VectorStore, scope: Scope) -> None:
    with pytest.raises(ValueError, match="too many values"):
        await store.upsert({scope: entries(remembered("one")), new_scope(): entries(remembered("two"))})


async def test_a_change_tells_its_versions_only_where_nobody_else_writes(store: VectorStore, scope: Scope) -> None:
    before = (await store.versions([scope]))[scope]
    change = (await store.upsert({scope: entries(remembered("hello"))}))[scope]
    after = (await store.versions([scope]))[scope]
    assert (change.before, change.after) == ((None, None) if store.shared else (before, after))


async def test_many_texts_and_pages_of_them_are_all_there(store: VectorStore, scope: Scope) -> None:
    texts = [remembered(f"text {number}") for number in range(2_300)]
    given = entries(*texts)
    await store.upsert({scope: given})
    assert by_id(await store.load(scope)) == by_id(given)
    assert len(await store.digests(scope)) == 2_300
    gone = [text.text_id for text in texts[100:]]
    assert (await store.delete(scope, gone)).count == 2_200
    assert len(await store.digests(scope)) == 100


async def test_writes_at_once_are_all_stored(store: VectorStore) -> None:
    scopes = [new_scope() for _ in range(3)]
    await asyncio.gather(*(store.upsert({scope: entries(remembered("hello"))}) for scope in scopes * 4))
    assert [len(await store.digests(scope)) for scope in scopes] == [4, 4, 4]


async def test_a_new_index_is_not_complete_until_it_is_marked(store: VectorStore) -> None:
    assert not await store.is_complete()
    await store.mark_complete()
    assert await store.is_complete()
    await store.check()
