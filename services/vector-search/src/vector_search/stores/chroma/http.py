"""A Chroma server over its HTTP API, version 2.

Chroma's own client waits for ever, also while it is made, cannot be given a deadline, and turns what a proxy answers
into a bare Exception with the answer's text. This one speaks the few calls that the index makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import httpx
import orjson
from chromadb.api.types import GetResult, Include, Metadata, Where
from chromadb.errors import NotFoundError

from vector_search.app.ports import Vectors

DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"
CONNECT_SECONDS = 5.0
# The server went away with our connection, or with the answer. All but `upsert_once` may be made twice.
LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class HttpChroma:
    """All collections of a server; threads may share it. Raises httpx.HTTPError, and NotFoundError for a 404."""

    def __init__(self, url: str, auth: tuple[str, str] | None, timeout_seconds: float) -> None:
        self._http = httpx.Client(
            base_url=url + DATABASE,
            auth=auth,
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)),
            headers={"Content-Type": "application/json"},
        )

    def call(self, method: str, path: str, body: object = None, **params: int) -> Any:
        """Make a call, once more where its connection is lost: those of before a restart of the server all are."""
        try:
            return self.call_once(method, path, body, **params)
        except LOST:
            return self.call_once(method, path, body, **params)

    def call_once(self, method: str, path: str, body: object = None, **params: int) -> Any:
        """Make a call; one of LOST where its connection is lost: whether it was heard, nobody knows."""
        content = None if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        answer = self._http.request(method, path, content=content, params=params)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFoundError(path)
        answer.raise_for_status()
        return orjson.loads(answer.content)

    def list_collections(self, limit: int, offset: int) -> Sequence["HttpRecords"]:
        return [self._records(found) for found in self.call("GET", "/collections", limit=limit, offset=offset)]

    def count_collections(self) -> int:
        return int(self.call("GET", "/collections_count"))

    def get_collection(self, name: str, *, embedding_function: None) -> "HttpRecords":
        del embedding_function
        return self._records(self.call("GET", f"/collections/{quote(name)}"))

    def get_or_create_collection(
        self, name: str, *, metadata: dict[str, Any] | None = None, embedding_function: None
    ) -> "HttpRecords":
        del embedding_function
        wanted = {"name": name, "metadata": metadata, "get_or_create": True}
        return self._records(self.call("POST", "/collections", wanted))

    def delete_collection(self, name: str) -> None:
        self.call("DELETE", f"/collections/{quote(name)}")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _records(self, found: Mapping[str, Any]) -> "HttpRecords":
        return HttpRecords(self, str(found["id"]), str(found["name"]), found.get("metadata"))


@dataclass(frozen=True, slots=True)
class HttpRecords:
    """One collection of a server."""

    chroma: HttpChroma
    id: str
    name: str
    metadata: Mapping[str, Any] | None

    def get(
        self,
        ids: list[str] | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        *,
        include: Include,
    ) -> GetResult:
        wanted = {"ids": ids, "where": where, "limit": limit, "offset": offset, "include": include}
        return cast("GetResult", self._call("get", wanted))

    def upsert(self, ids: list[str], embeddings: Vectors, metadatas: list[Metadata]) -> None:
        self._call("upsert", {"ids": ids, "embeddings": embeddings, "metadatas": metadatas})

    def upsert_once(self, ids: list[str], embeddings: Vectors, metadatas: list[Metadata]) -> None:
        """Do so, for what must not be stored again later; raises one of LOST where nobody knows whether it was."""
        body = {"ids": ids, "embeddings": embeddings, "metadatas": metadatas}
        self.chroma.call_once("POST", f"/collections/{self.id}/upsert", body)

    def delete(self, ids: list[str] | None = None, where: Where | None = None) -> None:
        self._call("delete", {"ids": ids, "where": where})

    def _call(self, what: str, body: Mapping[str, object]) -> Any:
        return self.chroma.call("POST", f"/collections/{self.id}/{what}", body)
