"""A vector-search behind real gRPC that finds texts by the words they share."""

import re
from typing import Any

import grpc

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class WordSearch(vector_pb2_grpc.VectorSearchServicer):
    """VectorSearch over a dictionary; `down` makes it unavailable, `older` is one of before the lists."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, vector_pb2.TextItem]] = {}
        self.searches: list[vector_pb2.SearchRequest] = []
        self.calls: list[str] = []
        self.refused: dict[str, grpc.StatusCode] = {}  # by person, in lists; alone they are answered
        self.broken = False  # lists fail as a whole
        self.down = False
        self.older = False

    async def Upsert(  # noqa: N802  # as the proto names it
        self, request: vector_pb2.UpsertRequest, context: Context
    ) -> vector_pb2.UpsertResponse:
        await self._available("Upsert", context)
        return self._stored(request)

    async def UpsertMany(  # noqa: N802  # as the proto names it
        self, request: vector_pb2.UpsertManyRequest, context: Context
    ) -> vector_pb2.UpsertManyResponse:
        await self._available("UpsertMany", context)
        answers = [
            vector_pb2.UpsertAnswer(code=code)
            if (code := self._code(one.scope))
            else vector_pb2.UpsertAnswer(response=self._stored(one))
            for one in request.upserts
        ]
        return vector_pb2.UpsertManyResponse(answers=answers)

    async def Search(  # noqa: N802  # as the proto names it
        self, request: vector_pb2.SearchRequest, context: Context
    ) -> vector_pb2.SearchResponse:
        await self._available("Search", context)
        return self._found(request)

    async def SearchMany(  # noqa: N802  # as the proto names it
        self, request: vector_pb2.SearchManyRequest, context: Context
    ) -> vector_pb2.SearchManyResponse:
        await self._available("SearchMany", context)
        answers = [
            vector_pb2.SearchAnswer(code=code)
            if (code := self._code(one.scope))
            else vector_pb2.SearchAnswer(response=self._found(one))
            for one in request.searches
        ]
        return vector_pb2.SearchManyResponse(answers=answers)

    def _stored(self, request: vector_pb2.UpsertRequest) -> vector_pb2.UpsertResponse:
        own = self.items.setdefault((request.scope.organization_id, request.scope.person_id), {})
        own.update({item.text_id: item for item in request.items})
        return vector_pb2.UpsertResponse(stored=len(request.items), embedding_model="words")

    def _found(self, request: vector_pb2.SearchRequest) -> vector_pb2.SearchResponse:
        self.searches.append(request)
        own = self.items.get((request.scope.organization_id, request.scope.person_id), {})
        asked = words(request.query)
        hits = [
            vector_pb2.SearchHit(
                text_id=item.text_id, text=item.text, created_at=item.created_at, role=item.role,
                score=len(asked & words(item.text)) / (len(asked) or 1),
            )
            for item in own.values()
            if item.text_id not in request.exclude_text_ids
        ]  # fmt: skip
        hits.sort(key=lambda hit: hit.score, reverse=True)
        return vector_pb2.SearchResponse(hits=hits[: request.limit or 8])

    def _code(self, scope: vector_pb2.Scope) -> int:
        return int(self.refused[scope.person_id].value[0]) if scope.person_id in self.refused else 0

    async def _available(self, method: str, context: Context) -> None:
        self.calls.append(method)
        if self.down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "scripted")
        if self.older and method.endswith("Many"):
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "scripted")
        if self.broken and method.endswith("Many"):
            await context.abort(grpc.StatusCode.INTERNAL, "scripted")


def words(text: str) -> set[str]:
    """Return the words of a text that are worth comparing."""
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3}
