"""The memory index, as vector-search serves it."""

import asyncio
from collections.abc import Iterator, Sequence

import grpc

from coaching.adapters.coalescing import Coalescer
from coaching.adapters.packing import NotAnsweredError, Outcome, Packed
from coaching.app.ports import MemoryUnavailableError
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.messages import MemoryText
from coaching.domain.prompt import Recalled
from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from kit.clock import Clock

# Half of what vector-search takes: a slow core embeds so many queries in 0.3 s, for which all of them wait.
SEARCHES = 32
PATIENCE_SECONDS = 0.3
MOST_BYTES = 4 * 1024 * 1024  # of a list of texts; gRPC's limit is 16 MiB


class VectorClient:
    """Memory over gRPC: what is searched for while a list of searches is under way goes together in the next."""

    def __init__(self, channel: grpc.aio.Channel, search_seconds: float, upsert_seconds: float, clock: Clock) -> None:
        self._stub = vector_pb2_grpc.VectorSearchStub(channel)
        self._search_seconds = search_seconds
        self._upsert_seconds = upsert_seconds
        searches: Packed[vector_pb2.SearchRequest, vector_pb2.SearchResponse] = Packed(
            self._search_many, self._search, clock
        )
        self._searches: Coalescer[vector_pb2.SearchRequest, Outcome[vector_pb2.SearchResponse]] = Coalescer(
            searches, key=lambda _: "any", limit=SEARCHES, patience_seconds=PATIENCE_SECONDS
        )
        self._upserts: Packed[vector_pb2.UpsertRequest, vector_pb2.UpsertResponse] = Packed(
            self._upsert_many, self._upsert, clock
        )

    async def search(
        self, organization_id: OrganizationId, person_id: PersonId, query: str, limit: int, exclude: Sequence[str]
    ) -> list[Recalled]:
        """Return what is most alike, best first."""
        request = vector_pb2.SearchRequest(
            scope=vector_pb2.Scope(organization_id=organization_id, person_id=person_id),
            query=query,
            limit=limit,
            exclude_text_ids=exclude,
        )
        try:
            async with asyncio.timeout(self._search_seconds):
                found = await self._searches(request)
        except TimeoutError as error:
            raise MemoryUnavailableError from error
        if isinstance(found, NotAnsweredError | grpc.aio.AioRpcError):
            raise MemoryUnavailableError from found
        return [Recalled(hit.text_id, hit.text, hit.score, hit.role == "person") for hit in found.hits]

    async def upsert(self, people: Sequence[Sequence[MemoryText]]) -> list[str | MemoryUnavailableError]:
        """Index texts, each sequence of one person; return for each the embedder's name, or what stood against it."""
        models: list[str | MemoryUnavailableError] = []
        for requests in _lists([_upsert(own) for own in people]):
            models += map(_model, await self._upserts(requests))
        return models

    async def _search(self, request: vector_pb2.SearchRequest) -> vector_pb2.SearchResponse:
        return await self._stub.Search(request, timeout=self._search_seconds)

    async def _search_many(self, requests: Sequence[vector_pb2.SearchRequest]) -> Sequence[vector_pb2.SearchAnswer]:
        request = vector_pb2.SearchManyRequest(searches=requests)
        return (await self._stub.SearchMany(request, timeout=self._search_seconds)).answers

    async def _upsert(self, request: vector_pb2.UpsertRequest) -> vector_pb2.UpsertResponse:
        return await self._stub.Upsert(request, timeout=self._upsert_seconds)

    async def _upsert_many(self, requests: Sequence[vector_pb2.UpsertRequest]) -> Sequence[vector_pb2.UpsertAnswer]:
        request = vector_pb2.UpsertManyRequest(upserts=requests)
        return (await self._stub.UpsertMany(request, timeout=self._upsert_seconds)).answers


def _upsert(texts: Sequence[MemoryText]) -> vector_pb2.UpsertRequest:
    return vector_pb2.UpsertRequest(
        scope=vector_pb2.Scope(organization_id=texts[0].organization_id, person_id=texts[0].person_id),
        items=[_item(text) for text in texts],
    )


def _item(text: MemoryText) -> vector_pb2.TextItem:
    item = vector_pb2.TextItem(text_id=text.text_id, text=text.text, role="person" if text.by_person else "coach")
    item.created_at.FromDatetime(text.created_at)
    return item


def _lists(requests: Sequence[vector_pb2.UpsertRequest]) -> Iterator[list[vector_pb2.UpsertRequest]]:
    """Yield the requests in lists that are no larger than a message should be."""
    taken: list[vector_pb2.UpsertRequest] = []
    size = 0
    for request in requests:
        own = request.ByteSize()
        if taken and size + own > MOST_BYTES:
            yield taken
            taken, size = [], 0
        taken.append(request)
        size += own
    if taken:
        yield taken


def _model(outcome: Outcome[vector_pb2.UpsertResponse]) -> str | MemoryUnavailableError:
    if isinstance(outcome, vector_pb2.UpsertResponse):
        return outcome.embedding_model
    error = MemoryUnavailableError()
    error.__cause__ = outcome
    return error
