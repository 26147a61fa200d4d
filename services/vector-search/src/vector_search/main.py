"""vector-search: settings -> embedder and store -> use cases -> servers."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from contracts.vector.v1 import vector_pb2_grpc
from kit import grpc_client, http, process
from kit.backoff import Backoff
from kit.grpc_server import GrpcServer
from kit.log import get_logger
from vector_search.adapters.coaching_client import CoachingTexts
from vector_search.app.catch_up import keep_whole, until_open
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.rebuild import Rebuild
from vector_search.domain.errors import StoreUnavailableError
from vector_search.embedders.registry import EMBEDDERS
from vector_search.entrypoints.grpc import VectorSearchServicer
from vector_search.settings import VectorSearchSettings
from vector_search.stores.registry import STORES

MIB = 1024 * 1024
T = TypeVar("T")
log = get_logger("vector_search")


async def build(settings: VectorSearchSettings, life: process.Life) -> None:
    """Put the service together and start it."""
    # While the model loads, or the store is awaited, the process already says that it lives.
    life.readiness.add("store", _opening)
    await http.HttpServer(http.ops_app(life), settings.bind_host, settings.http_port, life).start()
    embedder = await asyncio.to_thread(EMBEDDERS[settings.embedder], settings)
    embedding = Embedding(embedder)
    life.on_close(embedding.close)
    opening = until_open(
        lambda: STORES[settings.vector_store](settings, embedder.model, embedder.dimensions), Backoff(most=5).delays()
    )
    store = await _until(life.stopping, opening)
    if store is None:
        return  # stopped while it waited
    life.on_close(store.close)
    coaching = grpc_client.channel(settings.coaching_address)
    life.on_close(lambda: coaching.close(None))

    texts = CoachingTexts(coaching, settings.rebuild_read_timeout_seconds, settings.request_timeout)
    index = Index(store, embedding, Partitions(store, settings.vectors_in_memory_mb * MIB))
    rebuild = Rebuild(index, store, texts)

    async def whole() -> str | None:
        return None if await store.is_complete() else "rebuilding"

    server = GrpcServer(settings.bind_host, settings.grpc_port, life, settings.grpc_max_connection_age_seconds)
    server.add(vector_pb2_grpc.add_VectorSearchServicer_to_server, VectorSearchServicer(index, embedding, rebuild))
    await server.start()
    life.readiness.add("store", store.check)
    life.readiness.add("index", whole)
    log.info("index_open", store=settings.vector_store, embedding_model=embedder.model, grpc_port=server.port)
    _ = life.background("catch_up", _until(life.stopping, keep_whole(store, rebuild, Backoff(first=0.5))))


async def _opening() -> None:
    raise StoreUnavailableError("it is being opened")


async def _until(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Do the work and return what it does, or leave it where it is when the process stops, and return None."""
    doing = asyncio.create_task(work)
    stop = asyncio.create_task(stopping.wait())
    try:
        _ = await asyncio.wait({doing, stop}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        for task in (doing, stop):
            _ = task.cancel()
        _ = await asyncio.gather(doing, stop, return_exceptions=True)


def main() -> None:
    """Run the service."""
    process.run("vector-search", VectorSearchSettings, build)


if __name__ == "__main__":
    main()
