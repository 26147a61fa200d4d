"""The memory index as coaching asks it: together where there is more than one to ask for, each on its own account."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import grpc
import pytest

from coaching.adapters.packing import SINGLY_SECONDS
from coaching.adapters.vector_client import MOST_BYTES, SEARCHES, VectorClient
from coaching.app.ports import MemoryUnavailableError
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.messages import MemoryText
from contracts.vector.v1.vector_pb2_grpc import add_VectorSearchServicer_to_server
from fakes.vector_search import WordSearch
from kit.clock import FixedClock
from kit.grpc_client import channel

ORGANIZATION = OrganizationId("one")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def vector() -> WordSearch:
    return WordSearch()  # type: ignore[abstract]  # coaching makes no other calls


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


@pytest.fixture
async def client(vector: WordSearch, clock: FixedClock) -> AsyncIterator[VectorClient]:
    async with asking(clock, vector) as made:
        yield made


@asynccontextmanager
async def asking(clock: FixedClock, *replicas: WordSearch) -> AsyncIterator[VectorClient]:
    """Serve each, and give a client of all of them."""
    async with AsyncExitStack() as stack:
        ports = []
        for replica in replicas:
            server = grpc.aio.server()
            add_VectorSearchServicer_to_server(replica, server)
            ports.append(server.add_insecure_port("127.0.0.1:0"))
            await server.start()
            stack.push_async_callback(server.stop, 0)
        opened = await stack.enter_async_context(channel(",".join(f"127.0.0.1:{port}" for port in ports)))
        yield VectorClient(opened, search_seconds=5.0, upsert_seconds=5.0, clock=clock)


def said(person: str, text: str = "") -> list[MemoryText]:
    return [MemoryText(ORGANIZATION, person, f"of-{person}", text or f"story of {person}", AT, by_person=True)]


async def find(client: VectorClient, *people: str) -> list[str]:
    """Search for all of them at once; return what each finds, or the error's name."""
    searches = [client.search(ORGANIZATION, PersonId(person), "story", 3, []) for person in people]
    found = await asyncio.gather(*searches, return_exceptions=True)
    return [type(one).__name__ if isinstance(one, BaseException) else one[0].text for one in found]


async def test_many_searches_at_once_are_few_calls_and_each_gets_its_own_answer(
    client: VectorClient, vector: WordSearch
) -> None:
    people = [f"person {number}" for number in range(SEARCHES * 3)]
    assert await client.upsert([said(person) for person in people]) == ["words"] * len(people)
    assert await find(client, *people) == [f"story of {person}" for person in people]
    assert Counter(vector.calls) == {"UpsertMany": 1, "SearchMany": 3}


async def test_one_alone_is_asked_for_alone(client: VectorClient, vector: WordSearch) -> None:
    await client.upsert([said("anna")])
    assert await find(client, "anna") == ["story of anna"]
    assert vector.calls == ["Upsert", "Search"]


async def test_what_fails_of_a_list_fails_alone_and_what_was_too_large_is_asked_for_again(
    client: VectorClient, vector: WordSearch
) -> None:
    vector.refused = {"anna": grpc.StatusCode.INVALID_ARGUMENT, "ben": grpc.StatusCode.RESOURCE_EXHAUSTED}
    models = await client.upsert([said("anna"), said("ben"), said("clara")])
    assert [isinstance(model, MemoryUnavailableError) for model in models] == [True, False, False]
    assert await find(client, "anna", "ben", "clara") == ["MemoryUnavailableError", "story of ben", "story of clara"]


async def test_a_list_that_fails_whole_is_asked_for_one_by_one(client: VectorClient, vector: WordSearch) -> None:
    vector.broken = True
    assert await client.upsert([said("anna"), said("ben")]) == ["words", "words"]
    assert await find(client, "anna", "ben") == ["story of anna", "story of ben"]


async def test_an_index_of_before_the_lists_is_asked_one_by_one_for_a_while(
    client: VectorClient, vector: WordSearch, clock: FixedClock
) -> None:
    vector.older = True
    await client.upsert([said("anna"), said("ben")])
    for _ in range(3):
        assert await find(client, "anna", "ben") == ["story of anna", "story of ben"]
    assert Counter(vector.calls) == {"UpsertMany": 1, "Upsert": 2, "SearchMany": 1, "Search": 6}
    vector.older = False
    clock.advance(SINGLY_SECONDS)
    assert await find(client, "anna", "ben") == ["story of anna", "story of ben"]
    assert Counter(vector.calls)["SearchMany"] == 2


@pytest.mark.guarantee("P9-old-beside-new")
async def test_while_replicas_of_before_the_lists_are_replaced_everybody_is_answered(
    vector: WordSearch, clock: FixedClock
) -> None:
    newer = WordSearch()  # type: ignore[abstract]  # coaching makes no other calls
    newer.items = vector.items
    vector.older = True
    async with asking(clock, vector, newer) as client:
        for number in range(20):
            people = [f"person {one}" for one in range(2 + number % 5)]
            assert await client.upsert([said(person) for person in people]) == ["words"] * len(people)
            assert await find(client, *people) == [f"story of {person}" for person in people]
            clock.advance(SINGLY_SECONDS)  # lists are tried again, at whichever replica's turn it is
            # One call more: an even number of them would bring each list to the same replica every time.
            assert await find(client, people[0]) == [f"story of {people[0]}"]
    assert {"SearchMany", "UpsertMany"} <= set(newer.calls)
    assert {"Search", "Upsert"} <= set(vector.calls)


async def test_an_index_that_is_away_is_said_so_to_everybody(client: VectorClient, vector: WordSearch) -> None:
    vector.down = True
    assert await find(client, "anna", "ben") == ["MemoryUnavailableError"] * 2
    models = await client.upsert([said("anna"), said("ben")])
    assert [type(model) for model in models] == [MemoryUnavailableError] * 2


async def test_texts_that_fit_into_no_message_together_go_in_several(client: VectorClient, vector: WordSearch) -> None:
    long = "x" * (MOST_BYTES // 2)
    assert await client.upsert([said("anna", long), said("ben", long), said("clara"), said("dora")]) == ["words"] * 4
    assert vector.calls == ["Upsert", "UpsertMany"]
