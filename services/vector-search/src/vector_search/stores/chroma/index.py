"""The collections of the index: one for each organisation and embedding model. All calls block."""

import hashlib
from collections.abc import Collection as Ids
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from chromadb.api.types import GetResult, Include, Metadata, Where
from chromadb.errors import NotFoundError

from vector_search.app.ports import Entries, Vectors
from vector_search.domain.errors import ModelMismatchError
from vector_search.domain.scope import Reach, Scope, one_organization
from vector_search.domain.texts import RememberedText, Role, from_microseconds
from vector_search.stores.chroma.api import Chroma, Records

PAGE = 1_000  # rows a call: a page of vectors holds the interpreter's lock for 60 ms at most
TEXTS, COMPLETE = "texts", "complete"


class ChromaIndex:
    """Names are `texts.<model>.<organisation>` and `complete.<model>`: another model's vectors are never in reach."""

    def __init__(self, client: Chroma, model: str, dimensions: int) -> None:
        self._client = client
        self._model = model
        self._dimensions = dimensions
        self._tag = hashlib.sha256(model.encode()).hexdigest()[:12]
        for name in self._names(COMPLETE):
            if name != self._marker:
                # The other model's index misses what is written from now on.
                self._drop(name)

    @property
    def _marker(self) -> str:
        return f"{COMPLETE}.{self._tag}"

    def load(self, scope: Scope) -> Entries:
        """Return everything of a person."""
        texts: list[RememberedText] = []
        vectors: list[Vectors] = []
        collection = self._open(scope.organization_id)
        for page in self._pages(collection, ["metadatas", "embeddings"], _of_person(scope)):
            texts += [
                RememberedText(
                    key.partition("/")[2],
                    str(row["text"]),
                    from_microseconds(int(row["created_us"])),
                    Role(str(row["role"])),
                )
                for key, row in _rows(page)
            ]
            vectors.append(np.asarray(page["embeddings"], dtype=np.float32).reshape(len(page["ids"]), self._dimensions))
        empty = np.empty((0, self._dimensions), dtype=np.float32)
        return Entries(tuple(texts), np.concatenate([empty, *vectors], dtype=np.float32))

    def digests(self, scope: Scope, text_ids: Ids[str] | None = None) -> Mapping[str, str]:
        """Return the digest of each text of a person, or of those that are named, by text id."""
        collection = self._open(scope.organization_id)
        if text_ids is None:
            pages = self._pages(collection, ["metadatas"], _of_person(scope))
        else:
            pages = self._named_pages(collection, _keys(scope, text_ids))
        return {key.partition("/")[2]: str(row["digest"]) for page in pages for key, row in _rows(page)}

    def known(self, named: Mapping[Scope, Ids[str]]) -> Mapping[Scope, Mapping[str, str]]:
        """Return the digests of those of the named texts that are there."""
        organization_id = one_organization(named)
        found: dict[Scope, dict[str, str]] = {scope: {} for scope in named}
        keys = [key for scope, text_ids in named.items() for key in _keys(scope, text_ids)]
        for page in self._named_pages(self._open(organization_id), keys):
            for key, row in _rows(page):
                person_id, _, text_id = key.partition("/")
                found[Scope(organization_id, person_id)][text_id] = str(row["digest"])
        return found

    def upsert(self, entries: Mapping[Scope, Entries]) -> Mapping[Scope, int]:
        """Store texts under ids that begin with their person's, however many persons' together."""
        name = f"{TEXTS}.{self._tag}.{one_organization(entries)}"
        collection = self._client.get_or_create_collection(
            name, metadata={"embedding_model": self._model}, embedding_function=None
        )
        self._require_model(collection)
        rows = [(scope, text) for scope, own in entries.items() for text in own.texts]
        vectors = np.concatenate([own.vectors for own in entries.values()])
        for begin in range(0, len(rows), PAGE):
            page = rows[begin : begin + PAGE]
            collection.upsert(
                ids=[_key(scope, text.text_id) for scope, text in page],
                embeddings=vectors[begin : begin + PAGE],
                metadatas=[_metadata(scope, text) for scope, text in page],
            )
        return {scope: len(own.texts) for scope, own in entries.items()}

    def delete(self, scope: Scope, text_ids: Ids[str]) -> int:
        """Delete texts by id, under an earlier model too."""
        there = self.digests(scope, text_ids)
        keys = _keys(scope, text_ids)
        for collection in self._of_organization(scope.organization_id):
            for begin in range(0, len(keys), PAGE):
                collection.delete(ids=keys[begin : begin + PAGE])
        return len(there)

    def delete_person(self, scope: Scope) -> int:
        """Delete everything of a person, under an earlier model too."""
        there = len(self.digests(scope))
        for collection in self._of_organization(scope.organization_id):
            collection.delete(where=_of_person(scope))
        return there

    def inventory(self, reach: Reach) -> Mapping[Scope, Mapping[str, str]]:
        """Return the digests of everybody within reach."""
        found: dict[Scope, dict[str, str]] = {}
        for name in self._names(TEXTS):
            _, tag, organization_id = name.split(".")
            if tag != self._tag or reach.organization_id not in (None, organization_id):
                continue
            for page in self._pages(self._open(organization_id), ["metadatas"]):
                for key, row in _rows(page):
                    person_id, _, text_id = key.partition("/")
                    found.setdefault(Scope(organization_id, person_id), {})[text_id] = str(row["digest"])
        return found

    def is_complete(self) -> bool:
        """Whether a rebuild with this model has once ended."""
        return self._marker in self._names(COMPLETE)

    def mark_complete(self) -> None:
        """Note that it has, and drop what other models left."""
        _ = self._client.get_or_create_collection(self._marker, embedding_function=None)
        for name in self._names(TEXTS):
            if name.split(".")[1] != self._tag:
                self._drop(name)

    def probe(self) -> None:
        """Read one vector of each collection; raises ChromaError where the index cannot be read."""
        for name in self._names(TEXTS):
            _ = self._client.get_collection(name, embedding_function=None).get(limit=1, include=["embeddings"])

    def answer(self) -> None:
        """Raise ChromaError unless Chroma answers."""
        _ = self._client.count_collections()

    def _names(self, kind: str) -> list[str]:
        names: list[str] = []
        while page := self._client.list_collections(limit=PAGE, offset=len(names)):
            names += [collection.name for collection in page]
        return [name for name in names if name.startswith(f"{kind}.")]

    def _of_organization(self, organization_id: str) -> Iterator[Records]:
        for name in self._names(TEXTS):
            if name.endswith(f".{organization_id}"):
                yield self._client.get_collection(name, embedding_function=None)

    def _drop(self, name: str) -> None:
        with suppress(NotFoundError):  # another replica was quicker
            self._client.delete_collection(name)

    def _open(self, organization_id: str) -> Records | None:
        try:
            collection = self._client.get_collection(f"{TEXTS}.{self._tag}.{organization_id}", embedding_function=None)
        except NotFoundError:
            return None
        self._require_model(collection)
        return collection

    def _require_model(self, collection: Records) -> None:
        if (collection.metadata or {}).get("embedding_model") != self._model:
            raise ModelMismatchError(
                f"collection {collection.name} is of another embedding model: delete it, and rebuild"
            )

    @staticmethod
    def _pages(collection: Records | None, include: Include, where: Where | None = None) -> Iterator[GetResult]:
        offset = 0
        while collection is not None:
            page = collection.get(where=where, limit=PAGE, offset=offset, include=include)
            yield page
            offset += PAGE
            if len(page["ids"]) < PAGE:
                return

    @staticmethod
    def _named_pages(collection: Records | None, keys: list[str]) -> Iterator[GetResult]:
        for begin in range(0, len(keys), PAGE):
            if collection is not None:
                yield collection.get(ids=keys[begin : begin + PAGE], include=["metadatas"])


def _key(scope: Scope, text_id: str) -> str:
    return f"{scope.person_id}/{text_id}"


def _keys(scope: Scope, text_ids: Ids[str]) -> list[str]:
    return [_key(scope, text_id) for text_id in sorted(set(text_ids))]  # Chroma refuses duplicates


def _of_person(scope: Scope) -> Where:
    return {"person_id": scope.person_id}


def _metadata(scope: Scope, text: RememberedText) -> Metadata:
    # The text is metadata, not Chroma's "document": that would add a full-text index, one copy more of what people say.
    return {
        "person_id": scope.person_id,
        "text": text.text,
        "created_us": text.created_us,
        "role": text.role.value,
        "digest": text.digest(),
    }


def _rows(page: GetResult) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return zip(page["ids"], page["metadatas"] or [], strict=True)
