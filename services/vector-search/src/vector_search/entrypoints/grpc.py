"""The VectorSearch service: translate in, call the use case, translate out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from vector_search.app.delete import delete
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.outcomes import Outcome, attempt, each
from vector_search.app.rebuild import Rebuild
from vector_search.app.search import Query, search, search_many
from vector_search.app.upsert import Upsert, upsert, upsert_many
from vector_search.domain.errors import (
    InvalidRequestError,
    ModelMismatchError,
    SourceUnavailableError,
    StoreUnavailableError,
    VectorSearchError,
)
from vector_search.domain.limits import check_list
from vector_search.domain.scope import Reach, Scope
from vector_search.domain.texts import Hit, RememberedText, Role

MOST_ANSWER_BYTES = 8 * 1024 * 1024  # of a list; the largest that one search can find is larger, and still a message
ALONE = int(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])
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
            one = _upsert(request)
            stored = await upsert(self._index, one.scope, one.texts)
        except VectorSearchError as error:
            await _refuse(context, error)
        return self._stored(stored)

    async def UpsertMany(
        self, request: vector_pb2.UpsertManyRequest, context: Context
    ) -> vector_pb2.UpsertManyResponse:
        try:
            check_list(items=sum(len(one.items) for one in request.upserts))
            asked = [attempt(_upsert, one) for one in request.upserts]
            outcomes = await each(asked, lambda upserts: upsert_many(self._index, upserts))
        except VectorSearchError as error:
            await _refuse(context, error)
        answers = [
            vector_pb2.UpsertAnswer(code=_code(one), message=str(one))
            if isinstance(one, VectorSearchError)
            else vector_pb2.UpsertAnswer(response=self._stored(one))
            for one in outcomes
        ]
        return vector_pb2.UpsertManyResponse(answers=answers)

    async def Search(self, request: vector_pb2.SearchRequest, context: Context) -> vector_pb2.SearchResponse:
        try:
            one = _query(request)
            hits = await search(self._index, self._embedding, one.scope, one.text, one.limit, one.exclude)
        except VectorSearchError as error:
            await _refuse(context, error)
        return _found(hits)

    async def SearchMany(
        self, request: vector_pb2.SearchManyRequest, context: Context
    ) -> vector_pb2.SearchManyResponse:
        try:
            check_list(searches=len(request.searches))
            asked = [attempt(_query, one) for one in request.searches]
            outcomes = await each(asked, lambda queries: search_many(self._index, self._embedding, queries))
        except VectorSearchError as error:
            await _refuse(context, error)
        return _answers(outcomes)

    def _stored(self, count: int) -> vector_pb2.UpsertResponse:
        return vector_pb2.UpsertResponse(stored=count, embedding_model=self._index.model)

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


def _code(error: VectorSearchError) -> int:
    return int(CODES[type(error)].value[0])


def _query(request: vector_pb2.SearchRequest) -> Query:
    return Query(_scope(request.scope), request.query, request.limit, list(request.exclude_text_ids))


def _upsert(request: vector_pb2.UpsertRequest) -> Upsert:
    return Upsert(_scope(request.scope), [_text(item) for item in request.items])


def _answers(outcomes: Sequence[Outcome[list[Hit]]]) -> vector_pb2.SearchManyResponse:
    made = vector_pb2.SearchManyResponse()
    size = 0
    for one in outcomes:
        if isinstance(one, VectorSearchError):
            made.answers.add(code=_code(one), message=str(one))
            continue
        found = _found(one)
        own = found.ByteSize()
        if size and size + own > MOST_ANSWER_BYTES:
            made.answers.add(code=ALONE, message="too large beside the others")
            continue
        size += own
        made.answers.add(response=found)
    return made


def _found(hits: list[Hit]) -> vector_pb2.SearchResponse:
    return vector_pb2.SearchResponse(hits=[_hit(hit) for hit in hits])


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
