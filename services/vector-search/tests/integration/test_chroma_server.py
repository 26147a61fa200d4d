"""A Chroma server that starts late, restarts, hangs, loses its data, or is behind a door: what vector-search does."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fakes.coaching_texts import FixedTexts, new_scope, remembered
from kit.backoff import Backoff
from kit.process import StartError
from support.chroma import ChromaServer
from support.ports import free_port
from vector_search.app.catch_up import keep_whole, until_open
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Rebuild
from vector_search.app.search import search
from vector_search.domain.errors import StoreUnavailableError
from vector_search.domain.scope import Scope
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.registry import STORES

Open = Callable[..., Awaitable[VectorStore]]
USER, PASSWORD = "vector", "p@ss/word-4711"
MODEL = "model"


@pytest.fixture
async def open_store() -> AsyncIterator[Open]:
    """Opens the store at an address; what it opens is closed at the end."""
    opened: list[VectorStore] = []

    async def open_it(url: str, seconds: float = 10.0) -> VectorStore:
        settings = VectorSearchSettings(chromadb_url=SecretStr(url), request_timeout=seconds)
        opened.append(await STORES["chroma_server"](settings, MODEL, HashingEmbedder.dimensions))
        return opened[-1]

    yield open_it
    for one in opened:
        await one.close()


def index_of(store: VectorStore, embedding: Embedding) -> Index:
    return Index(store, embedding, Partitions(store, 1_000_000))


async def found(index: Index, embedding: Embedding, scope: Scope) -> list[str]:
    return sorted(hit.text.text for hit in await search(index, embedding, scope, "text", 100))


async def test_a_server_that_starts_later_than_we_is_awaited(open_store: Open, chroma: ChromaServer) -> None:
    with pytest.raises(StoreUnavailableError):
        await open_store(chroma.url)
    opening = asyncio.create_task(until_open(lambda: open_store(chroma.url), Backoff(most=0.5).delays()))
    await asyncio.sleep(0.5)
    assert not opening.done()
    await asyncio.to_thread(chroma.start)
    store = await asyncio.wait_for(opening, 30)
    await store.check()


@pytest.mark.guarantee("VECTORS-server")
@pytest.mark.parametrize("cut", [ChromaServer.stop, ChromaServer.kill])
async def test_a_restart_loses_nothing_and_the_next_call_succeeds(
    open_store: Open, chroma: ChromaServer, embedding: Embedding, cut: Callable[[ChromaServer], None]
) -> None:
    await asyncio.to_thread(chroma.start)
    store, scope = await open_store(chroma.url), new_scope()
    index = index_of(store, embedding)
    await index.put(scope, [remembered("text one")])
    await store.mark_complete()
    assert await found(index, embedding, scope) == ["text one"]
    await asyncio.to_thread(cut, chroma)
    with pytest.raises(StoreUnavailableError):
        await found(index, embedding, scope)  # what is in memory may be old: nobody can say
    with pytest.raises(StoreUnavailableError):
        await index.put(scope, [remembered("text two")])
    with pytest.raises(StoreUnavailableError):
        await store.check()
    await asyncio.to_thread(chroma.start)
    assert await found(index, embedding, scope) == ["text one"]
    await index.put(scope, [remembered("text two")])
    assert await found(index, embedding, scope) == ["text one", "text two"]
    assert await store.is_complete()


async def test_a_restart_between_two_calls_fails_neither(open_store: Open, chroma: ChromaServer) -> None:
    await asyncio.to_thread(chroma.start)
    store = await open_store(chroma.url)
    await asyncio.gather(*(store.check() for _ in range(8)))  # connections that the restart cuts
    await asyncio.to_thread(chroma.stop)
    await asyncio.to_thread(chroma.start)
    await asyncio.gather(*(store.check() for _ in range(8)))


@pytest.mark.guarantee("VECTORS-server")
async def test_data_that_a_server_has_lost_is_made_again_from_coaching(
    open_store: Open, chroma: ChromaServer, embedding: Embedding, source: FixedTexts
) -> None:
    await asyncio.to_thread(chroma.start)
    store, scope = await open_store(chroma.url), new_scope()
    index = index_of(store, embedding)
    source.say(scope, remembered("text one"))
    rebuild = Rebuild(index, store, source)
    keeping = asyncio.create_task(keep_whole(store, rebuild, Backoff(first=0.1, most=0.5), look_again_seconds=0.2))
    await until(store.is_complete)
    assert await found(index, embedding, scope) == ["text one"]
    await asyncio.to_thread(chroma.stop)
    await asyncio.to_thread(chroma.lose_everything)
    source.say(scope, remembered("text two"))
    await asyncio.to_thread(chroma.start)
    await until(store.is_complete)
    assert await found(index, embedding, scope) == ["text one", "text two"]
    assert not keeping.done()
    keeping.cancel()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(StoreUnavailableError):
                if await true():
                    return
            await asyncio.sleep(0.05)


async def test_what_was_loaded_before_a_server_lost_its_data_is_not_taken_for_what_it_holds_after(
    open_store: Open, chroma: ChromaServer, embedding: Embedding
) -> None:
    await asyncio.to_thread(chroma.start)
    writer, reader, scope = await open_store(chroma.url), await open_store(chroma.url), new_scope()
    first = await reader.versions([scope])
    # The person's first text is read under the version of before it, as by a search that began meanwhile.
    await index_of(writer, embedding).put(scope, [remembered("text one")])
    await asyncio.to_thread(chroma.stop)
    await asyncio.to_thread(chroma.lose_everything)
    await asyncio.to_thread(chroma.start)
    assert (await writer.versions([scope]))[scope] is not None
    assert await reader.versions([scope]) != first


@pytest.mark.guarantee("VECTORS-server")
async def test_a_server_that_hangs_costs_the_timeout_and_no_more(
    open_store: Open, chroma: ChromaServer, embedding: Embedding
) -> None:
    await asyncio.to_thread(chroma.start)
    store, scope = await open_store(chroma.url, 1.0), new_scope()
    index = index_of(store, embedding)
    await index.put(scope, [remembered("text one")])
    chroma.freeze()
    begun = time.monotonic()
    outcomes = await asyncio.gather(*(store.load(scope) for _ in range(4)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailableError] * 4
    with pytest.raises(StoreUnavailableError):
        await open_store(chroma.url, 1.0)
    assert time.monotonic() - begun < 10
    chroma.thaw()
    await until(lambda: answers(store))
    assert await found(index, embedding, scope) == ["text one"]


async def answers(store: VectorStore) -> bool:
    await store.check()
    return True


@asynccontextmanager
async def door(chroma: ChromaServer) -> AsyncIterator[tuple[str, list[int]]]:
    """Put a proxy before the server that asks for a user and a password; while its list holds statuses, it fails."""
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    failures: list[int] = []

    async def pass_on(request: Request) -> Response:
        if request.headers.get("authorization") != wanted:
            return Response("who are you?", status_code=401)
        if failures:
            return Response("<html>what-was-said-4711</html>", status_code=failures.pop())
        answer = await inside.request(
            request.method, request.url.path, params=request.query_params, content=await request.body(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        return Response(answer.content, status_code=answer.status_code)

    app = Starlette(routes=[Route("/{path:path}", pass_on, methods=["GET", "POST", "DELETE"])])
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=chroma.url, trust_env=False) as inside:
        while not server.started:  # noqa: ASYNC110  # its own flag
            await asyncio.sleep(0.02)
        yield f"127.0.0.1:{port}", failures
        server.should_exit = True
        await serving


async def test_credentials_go_along_and_are_never_told(open_store: Open, chroma: ChromaServer) -> None:
    await asyncio.to_thread(chroma.start)
    async with door(chroma) as (address, failures):
        with pytest.raises(StartError, match="refuses its user or password") as refused:
            await open_store(f"http://{USER}:wrong-4711@{address}")
        assert "4711" not in str(refused.value)
        store = await open_store(f"http://{USER}:p%40ss%2Fword-4711@{address}")
        await store.check()
        for status in (500, 502, 503, 429):
            failures.append(status)
            with pytest.raises(StoreUnavailableError) as failed:
                await store.load(new_scope())
            assert "4711" not in str(failed.value)
        await store.check()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:8000", "nonsense"])
async def test_what_is_no_address_is_said_without_its_credentials(open_store: Open, url: str) -> None:
    with pytest.raises(StartError, match="CHROMADB_URL") as refused:
        await open_store(url.replace("//", "//user:s3cret@"))
    assert "s3cret" not in str(refused.value)
