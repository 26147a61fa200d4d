"""Replicas that write one person's texts at the same moment, each step where it does most harm: nothing old stays.

The steps of a write are: its beginning is told, the texts are stored or deleted, its end is told under a new version.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import httpx
import orjson
import pytest
from pydantic import SecretStr

from fakes.coaching_texts import new_scope, remembered
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import Entries
from vector_search.app.search import search
from vector_search.domain.scope import Scope
from vector_search.domain.texts import RememberedText
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma.http import HttpChroma
from vector_search.stores.chroma.store import ChromaStore
from vector_search.stores.chroma.versions import SharedVersions
from vector_search.stores.registry import STORES


class Replica:
    """One of several over a server; its writes can be made step by step."""

    def __init__(self, store: ChromaStore, embedding: Embedding) -> None:
        self.versions, self.rows = store._versions, store._index
        self.store, self.embedding = store, embedding
        self.index = Index(store, embedding, Partitions(store, 1_000_000))

    async def found(self, scope: Scope) -> list[str]:
        return sorted(hit.text.text for hit in await search(self.index, self.embedding, scope, "text", 100))


@pytest.fixture
async def replicas(chroma_url: str, embedding: Embedding) -> AsyncIterator[list[Replica]]:
    settings, model, made = VectorSearchSettings(chromadb_url=SecretStr(chroma_url)), f"model-{uuid4()}", []
    for _ in range(3):
        store = await STORES["chroma_server"](settings, model, HashingEmbedder.dimensions)
        assert isinstance(store, ChromaStore)
        made.append(Replica(store, embedding))
    yield made
    for replica in made:
        await replica.store.close()


def entries(*texts: RememberedText) -> Entries:
    return Entries(texts, HashingEmbedder().embed([text.text for text in texts]))


@pytest.mark.parametrize("killed", [True, False])
async def test_a_text_that_another_replica_has_stored_and_not_told_of_is_told_of_by_who_finds_it_there(
    replicas: list[Replica], killed: bool
) -> None:
    writer, retried, reader = replicas
    scope, text = new_scope(), remembered("text of a call that is made again")
    writer.versions.begin([scope])
    # Another write ends meanwhile, and is kept under its version.
    await retried.index.put(scope, [remembered("text beside it")])
    assert await reader.found(scope) == ["text beside it"]
    writer.rows.upsert({scope: entries(text)})
    # The writer is slow, or is killed here; who called it calls another replica, which finds the text stored.
    assert await retried.index.put(scope, [text]) == 0  # nothing is new
    assert await reader.found(scope) == ["text beside it", text.text]
    if not killed:
        writer.versions.end([scope])
        assert await reader.found(scope) == ["text beside it", text.text]


async def test_a_call_without_texts_writes_nothing(replicas: list[Replica]) -> None:
    scope = new_scope()
    before = await replicas[0].store.versions([scope])
    assert await replicas[0].index.put(scope, []) == 0
    assert await replicas[0].store.versions([scope]) == before


@pytest.mark.guarantee("P6-vectors")
async def test_a_deletion_beside_a_write_that_ends_earlier_is_seen_when_it_returns(replicas: list[Replica]) -> None:
    deleter, writer, reader = replicas
    scope, secret = new_scope(), remembered("text that is secret")
    await writer.index.put(scope, [secret])
    deleter.versions.begin([scope])
    await writer.index.put(scope, [remembered("text beside it")])
    assert await reader.found(scope) == ["text beside it", secret.text]  # kept, under the other write's version
    deleter.rows.delete(scope, [secret.text_id])
    deleter.versions.end([scope])
    assert await reader.found(scope) == ["text beside it"]


@pytest.mark.guarantee("P6-vectors")
async def test_a_deletion_that_is_cut_off_and_made_again_elsewhere_is_seen_by_all(replicas: list[Replica]) -> None:
    killed, again, reader = replicas
    scope, secret = new_scope(), remembered("text that is secret")
    await again.index.put(scope, [secret])
    killed.versions.begin([scope])
    await again.index.put(scope, [remembered("text beside it")])
    assert await reader.found(scope) == ["text beside it", secret.text]
    killed.rows.delete(scope, [secret.text_id])
    assert await again.index.remove(scope, [secret.text_id]) == 0
    assert await reader.found(scope) == ["text beside it"]


class LosesOneAnswer(httpx.HTTPTransport):
    """Does what the first request that tells the end of a write asks, and loses the answer with the connection."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile, self.lost = meanwhile, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if self.lost or not request.url.path.endswith("/upsert"):
            return answer
        token = orjson.loads(request.content)["metadatas"][0].get("token", "writing")
        if token == "writing":
            return answer
        self.lost += 1
        self._meanwhile()
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


@pytest.mark.guarantee("P6-vectors")
async def test_the_end_of_a_write_that_is_told_twice_brings_nothing_old_back(
    replicas: list[Replica], chroma_url: str
) -> None:
    writer, deleter, reader = replicas
    scope, secret = new_scope(), remembered("text that is secret")
    loop = asyncio.get_running_loop()

    async def forget() -> None:
        assert await reader.found(scope) == [secret.text]  # kept, under the version whose answer is lost
        await deleter.index.remove(scope, [secret.text_id])

    def meanwhile() -> None:
        asyncio.run_coroutine_threadsafe(forget(), loop).result(30)

    chroma = HttpChroma(chroma_url, None, 30)
    transport = LosesOneAnswer(meanwhile)
    chroma._http = httpx.Client(base_url=chroma._http.base_url, transport=transport, headers=chroma._http.headers)
    writer.store._versions = SharedVersions(chroma)
    await writer.index.put(scope, [secret])
    chroma.close()
    assert transport.lost == 1
    assert await reader.found(scope) == []
