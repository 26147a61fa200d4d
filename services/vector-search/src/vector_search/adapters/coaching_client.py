"""Coaching's texts, over gRPC."""

from collections.abc import AsyncIterator
from datetime import UTC

import grpc

from contracts.coaching.v1 import coaching_pb2, coaching_pb2_grpc
from vector_search.domain.errors import SourceUnavailableError
from vector_search.domain.scope import Reach, Scope
from vector_search.domain.texts import RememberedText, Role

ROLES = {coaching_pb2.ROLE_PERSON: Role.PERSON, coaching_pb2.ROLE_COACH: Role.COACH}


class CoachingTexts:
    """The port TextSource. Each stream is read to its end within its timeout: nothing is embedded while it is open."""

    def __init__(self, channel: grpc.aio.Channel, everything_seconds: float, person_seconds: float) -> None:
        self._stub = coaching_pb2_grpc.CoachingStub(channel)
        self._everything_seconds = everything_seconds
        self._person_seconds = person_seconds

    async def everything(self, reach: Reach) -> AsyncIterator[tuple[Scope, RememberedText]]:
        request = coaching_pb2.StreamTextsRequest(organization_id=reach.organization_id or "")
        async for item in self._stream(request, self._everything_seconds):
            yield Scope(item.organization_id, item.person_id), _text(item)

    async def of_person(self, scope: Scope) -> AsyncIterator[RememberedText]:
        request = coaching_pb2.StreamTextsRequest(organization_id=scope.organization_id, person_id=scope.person_id)
        async for item in self._stream(request, self._person_seconds):
            yield _text(item)

    async def _stream(
        self, request: coaching_pb2.StreamTextsRequest, seconds: float
    ) -> AsyncIterator[coaching_pb2.MemoryText]:
        try:
            async for response in self._stub.StreamTexts(request, timeout=seconds):
                for item in response.texts:
                    yield item
        except grpc.aio.AioRpcError as error:
            raise SourceUnavailableError(f"coaching: {error.code().name}") from None


def _text(item: coaching_pb2.MemoryText) -> RememberedText:
    # A role that this version does not know is kept as the person's: better recalled than lost.
    role = ROLES.get(item.role, Role.PERSON)
    return RememberedText(item.text_id, item.text, item.created_at.ToDatetime(tzinfo=UTC), role)
