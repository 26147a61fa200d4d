"""At start the index becomes whole by itself."""

from collections.abc import Iterator

import pytest

from fakes.coaching_texts import FixedTexts, new_scope, remembered
from vector_search.app.catch_up import catch_up
from vector_search.app.rebuild import Rebuild
from vector_search.domain.scope import EVERYTHING
from vector_search.stores.memory import MemoryStore


@pytest.fixture
def waits(source: FixedTexts) -> Iterator[float]:
    """No delay; coaching is there from the third attempt on."""

    def delays() -> Iterator[float]:
        yield 0.0
        yield 0.0
        source.fail = False
        while True:
            yield 0.0

    return delays()


async def test_it_waits_for_coaching_and_then_fills_the_index(
    store: MemoryStore, rebuild: Rebuild, source: FixedTexts, waits: Iterator[float]
) -> None:
    scope = new_scope()
    source.say(scope, remembered("hello"))
    source.fail = True
    await catch_up(store, rebuild, waits)
    assert set(await store.inventory(EVERYTHING)) == {scope}
    assert await store.is_complete()


@pytest.mark.parametrize(("shared", "complete", "compared"), [
    (False, True, True), (False, False, True), (True, True, False), (True, False, True),
])  # fmt: skip
async def test_what_others_keep_whole_is_not_compared_at_every_start(
    store: MemoryStore, rebuild: Rebuild, source: FixedTexts, shared: bool, complete: bool, compared: bool
) -> None:
    source.say(new_scope(), remembered("hello"))
    if complete:
        await store.mark_complete()
    store.shared = shared
    await catch_up(store, rebuild, iter([0.0]))
    assert bool(await store.inventory(EVERYTHING)) is compared
