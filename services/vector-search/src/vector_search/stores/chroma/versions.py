"""What tells a reader that a person's vectors have changed: within one process, or for all that share a server."""

from collections.abc import Callable, Mapping
from collections.abc import Collection as Ids
from typing import Protocol, TypeVar
from uuid import uuid4

import numpy as np
from chromadb.errors import NotFoundError

from vector_search.domain.scope import Scope
from vector_search.stores.chroma.http import LOST, HttpChroma, HttpRecords

TOKEN = "token"  # noqa: S105  # a key of metadata; the value is random and opens nothing
WRITING = "writing"
T = TypeVar("T")
Read = Mapping[Scope, str | None]
NOWHERE = np.zeros((1, 1), dtype=np.float32)  # Chroma wants a vector with each record


class Versions(Protocol):
    """Read before a load; begun before and ended after every write, whatever became of the write. By person."""

    def read(self, scopes: Ids[Scope]) -> Read:
        """Return the current versions; None while a write is in progress, or where one was cut off by a crash."""

    def begin(self, scopes: Ids[Scope]) -> Read:
        """Note that a write begins; return the versions until now, if nobody else can change them."""

    def end(self, scopes: Ids[Scope]) -> Read:
        """Set versions that never were before; return them, if nobody else can change them."""


class ProcessVersions:
    """For a store that one process alone writes to, one write at a time: counts, from this process's own start."""

    def __init__(self) -> None:
        self._writes: dict[Scope, int] = {}
        self._writing: set[Scope] = set()

    def read(self, scopes: Ids[Scope]) -> Read:
        return {scope: None if scope in self._writing else str(self._writes.get(scope, 0)) for scope in scopes}

    def begin(self, scopes: Ids[Scope]) -> Read:
        before = self.read(scopes)
        self._writing.update(scopes)
        return before

    def end(self, scopes: Ids[Scope]) -> Read:
        for scope in scopes:
            self._writes[scope] = self._writes.get(scope, 0) + 1
            self._writing.discard(scope)
        return self.read(scopes)


class SharedVersions:
    """For a server that several replicas write to: one record a person, in the server itself.

    Tokens are random and each is sent once, so that no replica ever sees an old one again. A write that ends while
    another is still going on makes the person readable under its own token; the other's end sets the next one, and so
    nobody misses it. The other may be killed before: whoever finds its texts stored must write too, if only an end.
    """

    def __init__(self, client: HttpChroma) -> None:
        self._client = client
        self._records = self._open()

    def _open(self) -> HttpRecords:
        return self._client.get_or_create_collection("versions", embedding_function=None)

    def _with_records(self, work: Callable[[HttpRecords], T]) -> T:
        try:
            return work(self._records)
        except NotFoundError:  # the server has come back with an empty volume
            self._records = self._open()
            return work(self._records)

    def read(self, scopes: Ids[Scope]) -> Read:
        keys = {_key(scope): scope for scope in scopes}
        collection, found = self._with_records(
            lambda records: (records.id, records.get(ids=list(keys), include=["metadatas"]))
        )
        # Of whom nothing is told, nothing was written since these records began: a server that lost all begins others.
        read: dict[Scope, str | None] = dict.fromkeys(scopes, f"never.{collection}")
        for key, row in zip(found["ids"], found["metadatas"] or [], strict=True):
            token = str(row[TOKEN])
            read[keys[key]] = None if token == WRITING else token
        return read

    def begin(self, scopes: Ids[Scope]) -> Read:
        return self._set(scopes, lambda: WRITING)

    def end(self, scopes: Ids[Scope]) -> Read:
        return self._set(scopes, lambda: uuid4().hex)

    def _set(self, scopes: Ids[Scope], new_token: Callable[[], str]) -> Read:
        def once(records: HttpRecords) -> None:
            token = new_token()
            records.upsert_once(
                ids=[_key(scope) for scope in scopes],
                embeddings=np.repeat(NOWHERE, len(scopes), axis=0),
                metadatas=[{TOKEN: token} for _ in scopes],
            )

        try:
            self._with_records(once)
        except LOST:
            # The server may have stored that token, and others theirs since: it must not come back.
            self._with_records(once)
        return dict.fromkeys(scopes)


def _key(scope: Scope) -> str:
    return f"{scope.organization_id}/{scope.person_id}"
