"""A vector-search behind real gRPC that finds texts by the words they share."""

import re
from typing import Any

import grpc

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc


class WordSearch(vector_pb2_grpc.VectorSearchServicer):
    """VectorSearch over a dictionary; `down` makes it unavailable."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, vector_pb2.TextItem]] = {}
        self.searches: list[vector_pb2.SearchRequest] = []
        self.down = False

    async def Upsert(  # noqa: N802  # as the proto names it
        self, request: vector_pb2.UpsertRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> vector_pb2.UpsertResponse:
        await self._available(context)
        own = self.items.setdefault((request.scope.organization_id, request.scope.person_id), {})
        own.update({item.text_id: item for item in request.items})
        return vector_pb2.UpsertResponse(stored=len(request.items), embedding_model="words")

    async def Search(  # noqa: N802  # as the proto names it
        self, request: vector_pb2.SearchRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> vector_pb2.SearchResponse:
        await self._available(context)
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

    async def _available(self, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        if self.down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "scripted")


def words(text: str) -> set[str]:
    """Return the words of a text that are worth comparing."""
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3}
