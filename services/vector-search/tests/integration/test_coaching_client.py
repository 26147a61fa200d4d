"""The texts' source: one suite for the fake and for coaching over gRPC."""

from collections.abc import AsyncIterator

import grpc
import pytest

from contracts.coaching.v1 import coaching_pb2_grpc
from fakes.coaching_texts import FixedTexts, coaching_servicer, new_scope, remembered
from kit import grpc_client
from vector_search.adapters.coaching_client import CoachingTexts
from vector_search.app.ports import TextSource
from vector_search.domain.errors import SourceUnavailableError
from vector_search.domain.scope import EVERYTHING, Reach
from vector_search.domain.texts import Role


@pytest.fixture(params=["fake", "grpc"])
async def texts(request: pytest.FixtureRequest, source: FixedTexts) -> AsyncIterator[TextSource]:
    if request.param == "fake":
        yield source
        return
    server = grpc.aio.server()
    coaching_pb2_grpc.add_CoachingServicer_to_server(coaching_servicer(source), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc_client.channel(f"127.0.0.1:{port}") as channel:
        yield CoachingTexts(channel, everything_seconds=10, person_seconds=10)
    await server.stop(None)


async def test_all_texts_of_all_organisations_come(texts: TextSource, source: FixedTexts) -> None:
    said = [(new_scope(), remembered(f"text {number}", role=Role.COACH)) for number in range(5)]
    for scope, text in said:
        source.say(scope, text)
    assert [item async for item in texts.everything(EVERYTHING)] == said


async def test_one_organisation_or_one_person_can_be_asked_for(texts: TextSource, source: FixedTexts) -> None:
    one = new_scope()
    beside, elsewhere = new_scope(one.organization_id), new_scope()
    for scope in (one, beside, elsewhere):
        source.say(scope, remembered("hello"), remembered("again"), remembered("and again"))
    assert {scope async for scope, _ in texts.everything(Reach(one.organization_id))} == {one, beside}
    assert [text async for text in texts.of_person(one)] == list(source.people[one].values())


async def test_nobody_has_no_texts(texts: TextSource) -> None:
    assert [item async for item in texts.everything(EVERYTHING)] == []
    assert [text async for text in texts.of_person(new_scope())] == []


async def test_coaching_that_is_down_is_said_so(texts: TextSource, source: FixedTexts) -> None:
    source.fail = True
    with pytest.raises(SourceUnavailableError):
        _ = [item async for item in texts.everything(EVERYTHING)]
    with pytest.raises(SourceUnavailableError):
        _ = [text async for text in texts.of_person(new_scope())]
