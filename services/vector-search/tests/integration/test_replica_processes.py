"""Two processes over one Chroma server, as in a cluster: started before it, replaced one after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.vector.v1 import vector_pb2, vector_pb2_grpc
from fakes.coaching_texts import FixedTexts, new_scope, remembered
from kit.grpc_client import channel
from support.chroma import ChromaServer
from support.rolling import kept_asking
from support.services import Service, start_service

PERSON = vector_pb2.Scope(organization_id=new_scope().organization_id, person_id=new_scope().person_id)


@pytest.fixture
async def replicas(tmp_path: Path, chroma: ChromaServer, coaching: int) -> AsyncIterator[list[Service]]:
    """Two processes, started; their Chroma is not."""
    async with AsyncExitStack() as stack:
        environment = {
            "EMBEDDER": "hashing",
            "VECTOR_STORE": "chroma_server",
            "CHROMADB_URL": chroma.url,
            "COACHING_ADDRESS": f"127.0.0.1:{coaching}",
        }
        running = [start_service("vector-search", environment, tmp_path) for _ in range(2)]
        for service in running:
            stack.callback(service.process.wait)
            stack.callback(service.process.kill)
        yield running


async def test_they_live_before_their_server_does_and_are_ready_after_it(
    replicas: list[Service], chroma: ChromaServer, source: FixedTexts
) -> None:
    scope = new_scope()
    source.say(scope, remembered("hello"))
    async with asyncio.timeout(60):
        while not all("store_awaited" in replica.log() for replica in replicas):  # noqa: ASYNC110  # their logs are what there is
            await asyncio.sleep(0.1)
    assert not await replicas[0].ready()
    assert await replicas[1].stop() == 0
    await asyncio.to_thread(chroma.start)
    await replicas[0].await_ready()
    assert await replicas[0].stop() == 0


async def test_one_that_stops_fails_no_call_and_what_it_stored_is_found_at_the_other(
    replicas: list[Service], chroma: ChromaServer
) -> None:
    await asyncio.to_thread(chroma.start)
    for service in replicas:
        await service.await_ready()
    async with channel(",".join(service.address for service in replicas)) as opened:
        stub: vector_pb2_grpc.VectorSearchAsyncStub = vector_pb2_grpc.VectorSearchStub(opened)

        async def store_and_find() -> None:
            """Each call goes to the other replica than the one before."""
            # Words enough that no other text is as near: the hashing embedder holds 3 and 11 for one word, for example,
            # and of equally near texts the newest is found, which may be another caller's.
            text = f"thought {uuid4()}"
            item = vector_pb2.TextItem(text_id=text.replace(" ", "-"), text=text, role="person")
            item.created_at.GetCurrentTime()
            upsert = vector_pb2.UpsertRequest(scope=PERSON, items=[item])
            await stub.UpsertMany(vector_pb2.UpsertManyRequest(upserts=[upsert]), timeout=20)
            search = vector_pb2.SearchRequest(scope=PERSON, query=text, limit=1)
            answers = (await stub.SearchMany(vector_pb2.SearchManyRequest(searches=[search]), timeout=20)).answers
            assert [hit.text for hit in answers[0].response.hits] == [text]

        async with kept_asking(store_and_find, callers=6) as outcomes:
            await outcomes.until(20)
            assert await replicas[0].stop() == 0
            await outcomes.until(20)
    assert set(outcomes) == {"ok"}
