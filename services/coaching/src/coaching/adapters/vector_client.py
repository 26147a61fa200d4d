"""The memory index, as vector-search serves it."""

from collections.abc import Sequence

import grpc

from coaching.app.ports import MemoryUnavailableError
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.messages import MemoryText
from coaching.domain.prompt import Recalled
from contracts.vector.v1 import vector_pb2, vector_pb2_grpc


class VectorClient:
    """Memory over gRPC."""

    def __init__(self, channel: grpc.aio.Channel, search_seconds: float, upsert_seconds: float) -> None:
        self._stub = vector_pb2_grpc.VectorSearchStub(channel)
        self._search_seconds = search_seconds
        self._upsert_seconds = upsert_seconds

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
            found = await self._stub.Search(request, timeout=self._search_seconds)
        except grpc.RpcError as error:
            raise MemoryUnavailableError from error
        return [Recalled(hit.text_id, hit.text, hit.score, hit.role == "person") for hit in found.hits]

    async def upsert(self, organization_id: str, person_id: str, texts: Sequence[MemoryText]) -> str:
        """Index texts of one person; return the embedder's name."""
        request = vector_pb2.UpsertRequest(
            scope=vector_pb2.Scope(organization_id=organization_id, person_id=person_id),
            items=[_item(text) for text in texts],
        )
        try:
            done = await self._stub.Upsert(request, timeout=self._upsert_seconds)
        except grpc.RpcError as error:
            raise MemoryUnavailableError from error
        return str(done.embedding_model)


def _item(text: MemoryText) -> vector_pb2.TextItem:
    item = vector_pb2.TextItem(text_id=text.text_id, text=text.text, role="person" if text.by_person else "coach")
    item.created_at.FromDatetime(text.created_at)
    return item
