"""Several replicas of vector-search over one Chroma server: they remember and forget together."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fakes.coaching_texts import FixedTexts, new_scope, remembered
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Rebuild
from vector_search.app.search import search
from vector_search.domain.errors import ModelMismatchError
from vector_search.domain.scope import EVERYTHING, Scope
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma.index import ChromaIndex
from vector_search.stores.chroma.store import ChromaStore
from vector_search.stores.registry import STORES

DIMENSIONS = HashingEmbedder.dimensions


@dataclass(frozen=True, slots=True)
class Replica:
    store: VectorStore
    index: Index
    embedding: Embedding

    async def found(self, scope: Scope, query: str) -> list[str]:
        return sorted(hit.text.text for hit in await search(self.index, self.embedding, scope, query, 100))


@pytest.fixture
async def replicas(chroma_url: str, embedding: Embedding) -> AsyncIterator[list[Replica]]:
    settings = VectorSearchSettings(chromadb_url=SecretStr(chroma_url))
    model = f"model-{uuid4()}"
    made = []
    for _ in range(3):
        store = await STORES["chroma_server"](settings, model, DIMENSIONS)
        made.append(Replica(store, Index(store, embedding, Partitions(store, 1_000_000)), embedding))
    yield made
    for replica in made:
        await replica.store.close()


async def everywhere(replicas: list[Replica], scope: Scope, query: str) -> list[list[str]]:
    return [await replica.found(scope, query) for replica in replicas]


@pytest.mark.guarantee("P6-vectors")
async def test_three_replicas_forget_together(replicas: list[Replica]) -> None:
    scope, secret, other = new_scope(), remembered("my secret"), remembered("my walk")
    await replicas[0].index.put(scope, [secret, other])
    assert await everywhere(replicas, scope, "secret") == [["my secret", "my walk"]] * 3
    await replicas[1].index.remove(scope, [secret.text_id])
    assert await everywhere(replicas, scope, "secret") == [["my walk"]] * 3
    await replicas[2].index.remove_everything(scope)
    assert await everywhere(replicas, scope, "secret") == [[]] * 3


async def test_three_replicas_remember_together(replicas: list[Replica]) -> None:
    scope = new_scope()
    assert await everywhere(replicas, scope, "text") == [[]] * 3
    await asyncio.gather(
        *(replica.index.put(scope, [remembered(f"text {number}")]) for number, replica in enumerate(replicas))
    )
    assert await everywhere(replicas, scope, "text") == [["text 0", "text 1", "text 2"]] * 3


async def test_a_person_that_nobody_changes_is_held_in_memory(
    replicas: list[Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = new_scope()
    await replicas[0].index.put(scope, [remembered("hello")])
    assert await replicas[1].found(scope, "hello") == ["hello"]

    def never(*_: object) -> None:
        raise AssertionError("it was loaded again")

    monkeypatch.setattr(ChromaIndex, "load", never)
    assert await replicas[1].found(scope, "hello") == ["hello"]


async def test_a_write_that_was_cut_off_leaves_nobody_with_old_vectors(replicas: list[Replica]) -> None:
    scope, text = new_scope(), remembered("hello")
    await replicas[0].index.put(scope, [text])
    assert await everywhere(replicas, scope, "hello") == [["hello"]] * 3
    # A replica that is killed after its deletion and before the end of its write.
    killed = replicas[0].store
    assert isinstance(killed, ChromaStore)
    killed._versions.begin([scope])
    killed._index.delete(scope, [text.text_id])
    assert (await killed.versions([scope]))[scope] is None
    assert await everywhere(replicas, scope, "hello") == [[]] * 3
    await replicas[1].index.put(scope, [remembered("again")])
    assert (await killed.versions([scope]))[scope] is not None
    assert await everywhere(replicas, scope, "again") == [["again"]] * 3


async def test_two_replicas_rebuild_side_by_side(replicas: list[Replica]) -> None:
    source = FixedTexts()
    scopes = [new_scope() for _ in range(3)]
    for scope in scopes:
        source.say(scope, *[remembered(f"text {number}") for number in range(5)])
    gone = new_scope()
    await replicas[2].index.put(gone, [remembered("gone")])

    async def run(replica: Replica) -> None:
        rebuild = Rebuild(replica.index, replica.store, source)
        async for _ in rebuild.run(EVERYTHING):
            pass

    await asyncio.gather(run(replicas[0]), run(replicas[1]))
    inventory = await replicas[2].store.inventory(EVERYTHING)
    assert {scope: len(inventory[scope]) for scope in inventory} == dict.fromkeys(scopes, 5)
    assert await replicas[2].store.is_complete()


async def test_a_collection_of_another_model_under_our_name_is_refused(replicas: list[Replica]) -> None:
    scope = new_scope()
    store = replicas[0].store
    assert isinstance(store, ChromaStore)
    index = store._index
    name = f"texts.{index._tag}.{scope.organization_id}"
    index._client.get_or_create_collection(name, metadata={"embedding_model": "other"}, embedding_function=None)
    with pytest.raises(ModelMismatchError):
        await replicas[1].found(scope, "hello")
    with pytest.raises(ModelMismatchError):
        await replicas[1].index.put(scope, [remembered("hello")])
