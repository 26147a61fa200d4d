"""The index becomes what coaching holds, whatever it was before and whatever happens meanwhile."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.coaching_texts import FixedTexts, new_scope, remembered
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Progress, Rebuild
from vector_search.domain.errors import SourceUnavailableError
from vector_search.domain.scope import EVERYTHING, Reach, Scope
from vector_search.domain.texts import RememberedText
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.stores.memory import MemoryStore


async def run(rebuild: Rebuild, reach: Reach = EVERYTHING) -> Progress:
    return [progress async for progress in rebuild.run(reach)][-1]


async def held(store: VectorStore) -> dict[Scope, dict[str, str]]:
    return {scope: dict(digests) for scope, digests in (await store.inventory(EVERYTHING)).items()}


def wanted(source: FixedTexts) -> dict[Scope, dict[str, str]]:
    people = source.people.items()
    return {
        scope: {text.text_id: text.digest() for text in texts.values() if text.text.strip()}
        for scope, texts in people
        if texts
    }


async def test_it_adds_replaces_and_removes(
    rebuild: Rebuild, store: VectorStore, source: FixedTexts, index: Index
) -> None:
    scope, gone_person = new_scope(), new_scope()
    same, old, gone = remembered("same"), remembered("old", "b"), remembered("gone")
    await index.put(scope, [same, old, gone])
    await index.put(gone_person, [remembered("nobody")])
    source.say(scope, same, replace(old, text="new"), remembered("added"))
    source.say(new_scope(), remembered("hello"))
    end = await run(rebuild)
    assert end == Progress(texts_done=4, removed=2, finished=True)
    assert await held(store) == wanted(source)
    assert await store.is_complete()


async def test_it_tells_its_progress(rebuild: Rebuild, source: FixedTexts) -> None:
    source.say(new_scope(), *[remembered(f"text {number}") for number in range(600)])
    steps = [progress async for progress in rebuild.run(EVERYTHING)]
    assert [step.texts_done for step in steps] == [0, 0, 0, 256, 512, 600, 600]
    assert [step.finished for step in steps] == [False] * 6 + [True]


async def test_one_organisation_leaves_the_others_alone(
    rebuild: Rebuild, store: VectorStore, source: FixedTexts, index: Index
) -> None:
    here, elsewhere = new_scope(), new_scope()
    await index.put(elsewhere, [remembered("not known to coaching")])
    source.say(here, remembered("hello"))
    await run(rebuild, Reach(here.organization_id))
    assert set(await held(store)) == {here, elsewhere}
    assert not await store.is_complete()


async def test_texts_that_cannot_be_indexed_are_left_out(
    rebuild: Rebuild, store: VectorStore, source: FixedTexts
) -> None:
    scope = new_scope()
    source.say(scope, remembered(" "), remembered("x" * 32_001), remembered("fine", "fine"))
    assert (await run(rebuild)).texts_done == 1
    assert set((await held(store))[scope]) == {"fine"}
    assert (await run(rebuild)).texts_done == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    before=st.dictionaries(st.tuples(st.integers(0, 3), st.sampled_from("abcdef")), st.sampled_from(["x", "y"])),
    after=st.dictionaries(st.tuples(st.integers(0, 3), st.sampled_from("abcdef")), st.sampled_from(["x", "y"])),
    cut=st.integers(1, 8),
)
async def test_interrupted_anywhere_and_run_again_it_ends_the_same(
    embedding: Embedding, before: dict[tuple[int, str], str], after: dict[tuple[int, str], str], cut: int
) -> None:
    store, source = MemoryStore(HashingEmbedder.dimensions), FixedTexts()
    index = Index(store, embedding, Partitions(store, 1_000_000))
    rebuild = Rebuild(index, store, source)
    people = [new_scope() for _ in range(4)]
    moment = remembered("any").created_at
    for (number, text_id), text in before.items():
        await index.put(people[number], [replace(remembered(text, text_id), created_at=moment)])
    for (number, text_id), text in after.items():
        source.say(people[number], replace(remembered(text, text_id), created_at=moment))
    running = rebuild.run(EVERYTHING)
    for _ in range(cut):
        await anext(running, None)
    await running.aclose()  # type: ignore[attr-defined]  # an async generator, as the caller knows
    await run(rebuild)
    assert await held(store) == wanted(source)


@pytest.mark.guarantee("P6-vectors")
async def test_what_is_forgotten_while_it_is_read_does_not_come_back(
    rebuild: Rebuild, store: VectorStore, source: FixedTexts, index: Index
) -> None:
    scope, secret = new_scope(), remembered("secret")
    source.say(scope, secret, remembered("hello", "kept"))
    forgotten = False

    def forget(_: Scope) -> None:
        nonlocal forgotten
        if not forgotten:
            forgotten = True
            source.forget(scope, secret.text_id)

    source.meanwhile = forget
    # Coaching's deletion arrives here before the rebuild writes what it has read.
    await index.remove(scope, [secret.text_id])
    await run(rebuild)
    assert set((await held(store))[scope]) == {"kept"}


async def test_what_is_said_while_it_is_read_is_not_removed(
    rebuild: Rebuild, store: MemoryStore, source: FixedTexts, index: Index
) -> None:
    scope, late = new_scope(), remembered("late", "late")
    await index.put(scope, [remembered("gone")])
    source.say(scope, remembered("hello", "hello"))
    tasks: list[asyncio.Task[int]] = []

    def say(_: Scope) -> None:
        if not tasks:
            source.say(scope, late)
            tasks.append(asyncio.create_task(index.put(scope, [late])))

    source.meanwhile = say
    await run(rebuild)
    await tasks[0]
    assert set((await held(store))[scope]) == {"hello", "late"}


async def test_texts_that_never_stand_still_end_it_with_an_error(rebuild: Rebuild, source: FixedTexts) -> None:
    scope = new_scope()
    source.say(scope, remembered("0", "a"))
    source.meanwhile = lambda scope: source.say(scope, remembered("changed", "a"))
    with pytest.raises(SourceUnavailableError):
        await run(rebuild)


async def test_when_coaching_is_down_nothing_is_removed(
    rebuild: Rebuild, store: VectorStore, source: FixedTexts, index: Index
) -> None:
    scope, text = new_scope(), remembered("hello")
    await index.put(scope, [text])
    source.fail = True
    with pytest.raises(SourceUnavailableError):
        await run(rebuild)
    assert await held(store) == {scope: {text.text_id: text.digest()}}
    assert not await store.is_complete()


async def test_two_rebuilds_at_once_take_turns(rebuild: Rebuild, store: VectorStore, source: FixedTexts) -> None:
    texts: list[RememberedText] = [remembered(f"text {number}") for number in range(50)]
    source.say(new_scope(), *texts)
    ends = await asyncio.gather(run(rebuild), run(rebuild))
    assert [end.texts_done for end in ends] == [50, 50]
    assert await held(store) == wanted(source)
