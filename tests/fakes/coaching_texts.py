"""Coaching as vector-search knows it: texts by person, as a port and behind gRPC."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.coaching.v1 import coaching_pb2, coaching_pb2_grpc
from vector_search.domain.errors import SourceUnavailableError
from vector_search.domain.scope import Reach, Scope
from vector_search.domain.texts import RememberedText, Role

_NUMBERS = count(1)
BEGIN = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)


def new_scope(organization_id: str | None = None) -> Scope:
    """Return a person that no other test knows."""
    return Scope(organization_id or str(uuid4()), str(uuid4()))


def remembered(text: str, text_id: str | None = None, role: Role = Role.PERSON) -> RememberedText:
    """Return a text, each a minute after the one before."""
    number = next(_NUMBERS)
    return RememberedText(text_id or f"text-{number}", text, BEGIN + timedelta(minutes=number), role)


class FixedTexts:
    """The port TextSource over a dictionary; `meanwhile` is called after each reading of a person, before it ends."""

    def __init__(self) -> None:
        self.people: dict[Scope, dict[str, RememberedText]] = {}
        self.fail = False
        self.meanwhile: Callable[[Scope], None] = lambda _: None

    def say(self, scope: Scope, *texts: RememberedText) -> None:
        """Record texts, replacing those with the same id."""
        self.people.setdefault(scope, {}).update({text.text_id: text for text in texts})

    def forget(self, scope: Scope, text_id: str) -> None:
        """Remove a text."""
        del self.people[scope][text_id]

    async def everything(self, reach: Reach) -> AsyncIterator[tuple[Scope, RememberedText]]:
        for scope, texts in list(self.people.items()):
            for text in list(texts.values()):
                if reach.covers(scope):
                    yield scope, text
        self._stumble()

    async def of_person(self, scope: Scope) -> AsyncIterator[RememberedText]:
        texts = list(self.people.get(scope, {}).values())
        self.meanwhile(scope)
        for text in texts:
            yield text
        self._stumble()

    def _stumble(self) -> None:
        if self.fail:
            raise SourceUnavailableError("coaching: UNAVAILABLE")


class CoachingTextsServicer(coaching_pb2_grpc.CoachingServicer):
    """StreamTexts over the same dictionary, two texts a message."""

    def __init__(self, source: FixedTexts) -> None:
        self.source = source

    async def StreamTexts(  # noqa: N802  # as the proto names it
        self, request: coaching_pb2.StreamTextsRequest, context: "grpc.aio.ServicerContext[object, object]"
    ) -> AsyncIterator[coaching_pb2.StreamTextsResponse]:
        if self.source.fail:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        batch: list[coaching_pb2.MemoryText] = []
        for scope, texts in list(self.source.people.items()):
            if request.organization_id not in ("", scope.organization_id):
                continue
            if request.person_id not in ("", scope.person_id):
                continue
            for text in texts.values():
                batch.append(_message(scope, text))
                if len(batch) == 2:
                    yield coaching_pb2.StreamTextsResponse(texts=batch)
                    batch = []
        yield coaching_pb2.StreamTextsResponse(texts=batch)


def coaching_servicer(source: FixedTexts) -> CoachingTextsServicer:
    """Return a Coaching that answers StreamTexts alone."""
    return CoachingTextsServicer(source)  # type: ignore[abstract]  # nobody makes the other calls


def _message(scope: Scope, text: RememberedText) -> coaching_pb2.MemoryText:
    created_at = Timestamp()
    created_at.FromDatetime(text.created_at)
    return coaching_pb2.MemoryText(
        organization_id=scope.organization_id,
        person_id=scope.person_id,
        text_id=text.text_id,
        text=text.text,
        created_at=created_at,
        role=coaching_pb2.ROLE_PERSON if text.role is Role.PERSON else coaching_pb2.ROLE_COACH,
    )
