"""A Chroma server that several replicas of vector-search share; what they must agree on is in the server."""

import asyncio
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx

from kit.process import StartError
from vector_search.app.ports import VectorStore
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma.http import HttpChroma
from vector_search.stores.chroma.index import ChromaIndex
from vector_search.stores.chroma.store import ChromaStore, unavailable
from vector_search.stores.chroma.versions import SharedVersions

REFUSALS = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


async def open_server(settings: VectorSearchSettings, model: str, dimensions: int) -> VectorStore:
    """Connect to CHROMADB_URL.

    Raises StartError where that is no address or our credentials are refused, and StoreUnavailableError where no
    Chroma answers there yet.
    """
    url = urlsplit(settings.chromadb_url.get_secret_value())
    if url.scheme not in ("http", "https") or not url.hostname:
        raise StartError("CHROMADB_URL must be http://host:port or https://host:port")
    address = url.netloc.rpartition("@")[2]  # all of it that may be told
    auth = (unquote(url.username), unquote(url.password or "")) if url.username else None
    base = urlunsplit((url.scheme, address, url.path.rstrip("/"), "", ""))
    chroma = HttpChroma(base, auth, settings.request_timeout)
    try:
        with unavailable():
            index, versions = await asyncio.to_thread(_connect, chroma, address, model, dimensions)
    except BaseException:
        chroma.close()
        raise
    return ChromaStore(index, versions, readers=settings.max_workers, shared=True, close=chroma.close)


def _connect(chroma: HttpChroma, address: str, model: str, dimensions: int) -> tuple[ChromaIndex, SharedVersions]:
    try:
        return ChromaIndex(chroma, model, dimensions), SharedVersions(chroma)
    except httpx.HTTPStatusError as error:
        if error.response.status_code not in REFUSALS:
            raise
        raise StartError(f"CHROMADB_URL: {address} refuses its user or password: correct them") from None
