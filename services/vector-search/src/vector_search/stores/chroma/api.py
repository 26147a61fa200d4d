"""What the index needs of Chroma: the same of the library in this process and of a server."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chromadb.api.types import GetResult, Include, Metadata, Where


class Named(Protocol):
    """A collection, as far as lists of them tell."""

    @property
    def name(self) -> str: ...


class Records(Named, Protocol):
    """One collection. Raises ChromaError or httpx.HTTPError; NotFoundError once it is gone."""

    @property
    def metadata(self) -> Mapping[str, Any] | None: ...

    def get(
        self,
        ids: list[str] | None = None,
        where: Where | None = None,
        limit: int | None = None,
        offset: int | None = None,
        *,
        include: Include,
    ) -> GetResult:
        """Return records by id or by a filter."""

    def upsert(self, ids: list[str], embeddings: Any, metadatas: list[Metadata]) -> object:
        """Store records, replacing those with the same id; a row of the matrix is a record's vector."""

    def delete(self, ids: list[str] | None = None, where: Where | None = None) -> object:
        """Delete records by id or by a filter."""


class Chroma(Protocol):
    """All collections. We bring the vectors: `embedding_function` is always None."""

    def list_collections(self, limit: int, offset: int) -> Sequence[Named]:
        """Return some of them."""

    def count_collections(self) -> int:
        """Return how many there are."""

    def get_collection(self, name: str, *, embedding_function: None) -> Records:
        """Return one; raises NotFoundError."""

    def get_or_create_collection(
        self, name: str, *, metadata: dict[str, Any] | None = None, embedding_function: None
    ) -> Records:
        """Return one, made if it is not there."""

    def delete_collection(self, name: str) -> None:
        """Delete one; raises NotFoundError."""
