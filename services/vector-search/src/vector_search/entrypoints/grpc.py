"""The VectorSearch service: translate in, call the use case, translate out."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from vector_search.app.delete import delete
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.rebuild import Rebuild
from vector_search.app.search import search
from vector_search.app.upsert import upsert
from vector_search.domain.errors import (
    InvalidRequestError,
    ModelMismatchError,
    SourceUnavailableError,
    StoreUnavailableError,
    VectorSearchError,
)
from vector_search.domain.scope import Reach, Scope
from vector_search.domain.texts import Hit, RememberedText, Role

Context = grpc.aio.ServicerContext[Any, Any]

CODES: Mapping[type[VectorSearchError], grpc.StatusCode] = {
    InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,  # never again
    ModelMismatchError: grpc.StatusCode.FAILED_PRECONDITION,  # after a rebuild
    SourceUnavailableError: grpc.StatusCode.UNAVAILABLE,  # later
    StoreUnavailableError: grpc.StatusCode.UNAVAILABLE,  # later
}


class VectorSearchServicer(vector_pb2_grpc.VectorSearchServicer):
    """What the service answers; see the proto for the contract."""

    def __init__(self, index: Index, embedding: Embedding, rebuild: Rebuild) -> None:
        self._index = index
        self._embedding = embedding
        self._rebuild = rebuild

    async def Upsert(self, request: vector_pb2.UpsertRequest, context: Context) -> vector_pb2.UpsertResponse:
        try:
            stored = await upsert(self._index, _scope(request.scope), [_text(item) for item in request.items])
        except VectorSearchError as error:
            await _refuse(context, error)
        return vector_pb2.UpsertResponse(stored=stored, embedding_model=self._index.model)

    async def Search(self, request: vector_pb2.SearchRequest, context: Context) -> vector_pb2.SearchResponse:
        try:
            scope, exclude = _scope(request.scope), list(request.exclude_text_ids)
            hits = await search(self._index, self._embedding, scope, request.query, request.limit, exclude)
        except VectorSearchError as error:
            await _refuse(context, error)
        return vector_pb2.SearchResponse(hits=[_hit(hit) for hit in hits])

    async def Delete(self, request: vector_pb2.DeleteRequest, context: Context) -> vector_pb2.DeleteResponse:
        try:
            count = await delete(self._index, _scope(request.scope), list(request.text_ids), request.everything)
        except VectorSearchError as error:
            await _refuse(context, error)
        return vector_pb2.DeleteResponse(deleted=count)

    async def Rebuild(
        self, request: vector_pb2.RebuildRequest, context: Context
    ) -> AsyncIterator[vector_pb2.RebuildResponse]:
        try:
            async for progress in self._rebuild.run(Reach(request.organization_id or None)):
                yield vector_pb2.RebuildResponse(
                    texts_done=progress.texts_done, removed=progress.removed, finished=progress.finished
                )
        except VectorSearchError as error:
            await _refuse(context, error)


async def _refuse(context: Context, error: VectorSearchError) -> NoReturn:
    await context.abort(CODES[type(error)], str(error))


def _scope(scope: vector_pb2.Scope) -> Scope:
    return Scope(scope.organization_id, scope.person_id)


def _text(item: vector_pb2.TextItem) -> RememberedText:
    if item.role not in set(Role):
        raise InvalidRequestError(f"role must be one of: {', '.join(Role)}")
    return RememberedText(item.text_id, item.text, _time(item), Role(item.role))


def _time(item: vector_pb2.TextItem) -> datetime:
    if not item.HasField("created_at"):
        raise InvalidRequestError("created_at is missing")
    try:
        return item.created_at.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidRequestError("created_at is out of range") from None


def _hit(hit: Hit) -> vector_pb2.SearchHit:
    created_at = Timestamp()
    created_at.FromDatetime(hit.text.created_at)
    return vector_pb2.SearchHit(
        text_id=hit.text.text_id, text=hit.text.text, score=hit.score, created_at=created_at, role=hit.text.role.value
    )
