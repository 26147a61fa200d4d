"""The service as coaching calls it: gRPC in, the right code out."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from fakes.coaching_texts import BEGIN, FixedTexts, new_scope, remembered
from kit import grpc_client
from kit.grpc_server import GrpcServer
from kit.process import Life
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.rebuild import Rebuild
from vector_search.domain.errors import StoreUnavailableError, VectorSearchError
from vector_search.domain.scope import Scope
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.entrypoints.grpc import CODES, VectorSearchServicer
from vector_search.stores.memory import MemoryStore

Stub: TypeAlias = "vector_pb2_grpc.VectorSearchAsyncStub"  # a name that only the type stubs have


class Breakable(MemoryStore):
    """Stops answering when told to."""

    broken = False

    async def versions(self, scopes: Collection[Scope]) -> Mapping[Scope, str | None]:
        if self.broken:
            raise StoreUnavailableError("Chroma: InternalError")
        return await super().versions(scopes)


@pytest.fixture
def store() -> Breakable:
    return Breakable(HashingEmbedder.dimensions)


@pytest.fixture
async def stub(store: Breakable, embedding: Embedding, source: FixedTexts) -> AsyncIterator[Stub]:
    index = Index(store, embedding, Partitions(store, 1_000_000))
    life = Life("vector-search", drain_seconds=1)
    server = GrpcServer("127.0.0.1", 0, life)
    servicer = VectorSearchServicer(index, embedding, Rebuild(index, store, source))
    server.add(vector_pb2_grpc.add_VectorSearchServicer_to_server, servicer)
    await server.start()
    async with grpc_client.channel(f"127.0.0.1:{server.port}") as channel:
        yield vector_pb2_grpc.VectorSearchStub(channel)
    await life.finish()


def scope_of(scope: Scope) -> vector_pb2.Scope:
    return vector_pb2.Scope(organization_id=scope.organization_id, person_id=scope.person_id)


def item(text: str, text_id: str, role: str = "person", at: datetime = BEGIN) -> vector_pb2.TextItem:
    created_at = Timestamp()
    created_at.FromDatetime(at)
    return vector_pb2.TextItem(text_id=text_id, text=text, created_at=created_at, role=role)


async def test_a_text_goes_in_comes_out_as_it_was_and_is_forgotten(stub: Stub) -> None:
    scope = scope_of(new_scope())
    request = vector_pb2.UpsertRequest(scope=scope, items=[item("walk far", "a"), item("Good!", "b", "coach")])
    stored = await stub.Upsert(request, timeout=30)
    assert (stored.stored, stored.embedding_model) == (2, "hashing-256")
    search = vector_pb2.SearchRequest(scope=scope, query="walk far")
    found = await stub.Search(search, timeout=30)
    assert [(hit.text_id, hit.text, hit.role) for hit in found.hits] == [
        ("a", "walk far", "person"), ("b", "Good!", "coach"),
    ]  # fmt: skip
    assert found.hits[0].score == pytest.approx(1.0)
    assert found.hits[0].created_at.ToDatetime(tzinfo=UTC) == BEGIN
    without = vector_pb2.SearchRequest(scope=scope, query="walk", limit=1, exclude_text_ids=["a"])
    assert [hit.text_id for hit in (await stub.Search(without, timeout=30)).hits] == ["b"]
    deleted = await stub.Delete(vector_pb2.DeleteRequest(scope=scope, text_ids=["a"]), timeout=30)
    assert deleted.deleted == 1
    assert [hit.text_id for hit in (await stub.Search(search, timeout=30)).hits] == ["b"]
    deleted = await stub.Delete(vector_pb2.DeleteRequest(scope=scope, everything=True), timeout=30)
    assert deleted.deleted == 1
    assert not (await stub.Search(search, timeout=30)).hits


async def test_lists_are_answered_in_their_order_each_with_its_own_code(stub: Stub) -> None:
    anna, ben = scope_of(new_scope()), scope_of(new_scope())
    upserts = vector_pb2.UpsertManyRequest(upserts=[
        vector_pb2.UpsertRequest(scope=anna, items=[item("walk far", "a")]),
        vector_pb2.UpsertRequest(scope=anna, items=[item("x", "a", "robot")]),
        vector_pb2.UpsertRequest(scope=ben, items=[item("a late train", "b"), item("my dog", "c")]),
    ])  # fmt: skip
    stored = (await stub.UpsertMany(upserts, timeout=30)).answers
    assert [one.code for one in stored] == [0, grpc.StatusCode.INVALID_ARGUMENT.value[0], 0]
    assert [(one.response.stored, one.response.embedding_model) for one in stored if not one.code] == [
        (1, "hashing-256"), (2, "hashing-256"),
    ]  # fmt: skip
    assert stored[1].message == "role must be one of: person, coach"
    searches = [
        vector_pb2.SearchRequest(scope=ben, query="dog", limit=1),
        vector_pb2.SearchRequest(query="dog"),
        vector_pb2.SearchRequest(scope=anna, query="dog"),
    ]
    found = (await stub.SearchMany(vector_pb2.SearchManyRequest(searches=searches), timeout=30)).answers
    assert [one.code for one in found] == [0, grpc.StatusCode.INVALID_ARGUMENT.value[0], 0]
    assert [[hit.text for hit in one.response.hits] for one in found] == [["my dog"], [], ["walk far"]]


async def test_of_a_list_what_would_not_fit_into_one_message_is_to_be_asked_for_alone(stub: Stub) -> None:
    scope = scope_of(new_scope())
    for begin in range(0, 90, 30):
        items = [item("🏃" * 32_000, f"{number}") for number in range(begin, begin + 30)]
        await stub.Upsert(vector_pb2.UpsertRequest(scope=scope, items=items), timeout=30)
    searches = [vector_pb2.SearchRequest(scope=scope, query="🏃", limit=limit) for limit in (50, 50, 1)]
    found = (await stub.SearchMany(vector_pb2.SearchManyRequest(searches=searches), timeout=30)).answers
    alone = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert [(one.code, len(one.response.hits)) for one in found] == [(0, 50), (alone, 0), (0, 1)]
    assert len((await stub.Search(searches[1], timeout=30)).hits) == 50


async def test_a_rebuild_streams_its_progress(stub: Stub, source: FixedTexts) -> None:
    scope = new_scope()
    source.say(scope, *[remembered("again and again") for _ in range(299)], remembered("a lonely zebra"))
    steps = [step async for step in stub.Rebuild(vector_pb2.RebuildRequest(), timeout=30)]
    assert [step.finished for step in steps[:-1]] == [False] * (len(steps) - 1)
    assert (steps[-1].finished, steps[-1].texts_done, steps[-1].removed) == (True, 300, 0)
    search = vector_pb2.SearchRequest(scope=scope_of(scope), query="zebra", limit=1)
    assert (await stub.Search(search, timeout=30)).hits[0].text == "a lonely zebra"


KNOWN = scope_of(new_scope())
WRONG: dict[str, Callable[[Stub], object]] = {
    "no scope": lambda stub: stub.Search(vector_pb2.SearchRequest(query="x"), timeout=30),
    "no person": lambda stub: stub.Delete(
        vector_pb2.DeleteRequest(scope=vector_pb2.Scope(organization_id=KNOWN.organization_id), everything=True),
        timeout=30,
    ),
    "no query": lambda stub: stub.Search(vector_pb2.SearchRequest(scope=KNOWN), timeout=30),
    "query too long": lambda stub: stub.Search(vector_pb2.SearchRequest(scope=KNOWN, query="x" * 32_001), timeout=30),
    "too many hits": lambda stub: stub.Search(vector_pb2.SearchRequest(scope=KNOWN, query="x", limit=101), timeout=30),
    "too many items": lambda stub: stub.Upsert(
        vector_pb2.UpsertRequest(scope=KNOWN, items=[item("x", f"{number}") for number in range(257)]), timeout=30
    ),
    "text too long": lambda stub: stub.Upsert(
        vector_pb2.UpsertRequest(scope=KNOWN, items=[item("x" * 32_001, "a")]), timeout=30
    ),
    "too many searches in a list": lambda stub: stub.SearchMany(
        vector_pb2.SearchManyRequest(searches=[vector_pb2.SearchRequest(scope=KNOWN, query="x")] * 65), timeout=30
    ),
    "too many items in a list": lambda stub: stub.UpsertMany(
        vector_pb2.UpsertManyRequest(
            upserts=[
                vector_pb2.UpsertRequest(scope=KNOWN, items=[item("x", f"{number}") for number in range(129)])
                for _ in range(2)
            ]
        ),
        timeout=30,
    ),
    "unknown role": lambda stub: stub.Upsert(
        vector_pb2.UpsertRequest(scope=KNOWN, items=[item("x", "a", "robot")]), timeout=30
    ),
    "no time": lambda stub: stub.Upsert(
        vector_pb2.UpsertRequest(scope=KNOWN, items=[vector_pb2.TextItem(text_id="a", text="x", role="coach")]),
        timeout=30,
    ),
    "nothing to delete": lambda stub: stub.Delete(vector_pb2.DeleteRequest(scope=KNOWN), timeout=30),
    "rebuild of no organisation": lambda stub: anext(
        aiter(stub.Rebuild(vector_pb2.RebuildRequest(organization_id="all"), timeout=30))
    ),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG.keys())
async def test_what_can_never_succeed_is_an_invalid_argument(stub: Stub, call: Callable[[Stub], object]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(stub)  # type: ignore[misc]  # each is one call
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_store_that_does_not_answer_is_unavailable(stub: Stub, store: Breakable) -> None:
    store.broken = True
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Search(vector_pb2.SearchRequest(scope=KNOWN, query="x"), timeout=30)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_coaching_that_does_not_answer_makes_a_rebuild_unavailable(stub: Stub, source: FixedTexts) -> None:
    source.fail = True
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        _ = [step async for step in stub.Rebuild(vector_pb2.RebuildRequest(), timeout=30)]
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_every_error_has_its_code() -> None:
    assert set(CODES) == set(VectorSearchError.__subclasses__())
