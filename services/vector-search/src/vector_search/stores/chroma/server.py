"""A Chroma server that several replicas of vector-search share; what they must agree on is in the server."""

import asyncio
import base64
from urllib.parse import SplitResult, unquote, urlsplit

import httpx
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError

from kit.process import StartError
from vector_search.app.ports import VectorStore
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma.index import ChromaIndex
from vector_search.stores.chroma.store import ChromaStore
from vector_search.stores.chroma.versions import SharedVersions


async def open_server(settings: VectorSearchSettings, model: str, dimensions: int) -> VectorStore:
    """Connect to CHROMADB_URL; raises StartError where nothing answers there."""
    return await asyncio.to_thread(_open, settings, model, dimensions)


def _open(settings: VectorSearchSettings, model: str, dimensions: int) -> VectorStore:
    url = urlsplit(settings.chromadb_url.get_secret_value())
    if url.scheme not in ("http", "https") or not url.hostname:
        raise StartError("CHROMADB_URL must be http://host:port or https://host:port")
    try:
        client, connections = _connect(url, settings.request_timeout)
        index = ChromaIndex(client, model, dimensions)
        versions = SharedVersions(client)
    except (ChromaError, httpx.HTTPError, ValueError) as error:
        where = f"{url.hostname}:{url.port or ''}"
        raise StartError(f"CHROMADB_URL: no Chroma answers at {where} ({type(error).__name__}): start it") from None

    def close() -> None:
        client.close()
        for connection in connections:
            connection.close()

    return ChromaStore(index, versions, readers=settings.max_workers, shared=True, close=close)


def _connect(url: SplitResult, timeout_seconds: float) -> tuple[Client, list[httpx.Client]]:
    host, port, ssl = url.hostname or "", url.port or (443 if url.scheme == "https" else 80), url.scheme == "https"
    headers = {}
    if url.username:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    client = Client(
        settings=Settings(
            anonymized_telemetry=False,
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=host,
            chroma_server_http_port=port,
            chroma_server_ssl_enabled=ssl,
            chroma_server_headers=headers,
        )
    )
    # Chroma's client waits for ever and never closes its connections, and has no setting for either: a server that
    # hangs would take our threads one by one. Its admin part has connections of its own.
    connections: list[httpx.Client] = [
        vars(vars(part)["_server"])["_session"] for part in (client, client._admin_client)
    ]
    for connection in connections:
        connection.timeout = httpx.Timeout(timeout_seconds)
    return client, connections
