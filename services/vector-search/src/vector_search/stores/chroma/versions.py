"""What tells a reader that a person's vectors have changed: within one process, or for all that share a server."""

from typing import Protocol
from uuid import uuid4

import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection

from vector_search.domain.scope import Scope

NEVER_WRITTEN = "never"
TOKEN = "token"  # noqa: S105  # a key of metadata; the value is random and opens nothing
WRITING = "writing"
NOWHERE = np.zeros((1, 1), dtype=np.float32)  # Chroma wants a vector with each record


class Versions(Protocol):
    """Read before a load; begun before and ended after every write, whatever became of the write."""

    def read(self, scope: Scope) -> str | None:
        """Return the current version; None while a write is in progress, or where one was cut off by a crash."""

    def begin(self, scope: Scope) -> str | None:
        """Note that a write begins; return the version until now, if nobody else can change it."""

    def end(self, scope: Scope) -> str | None:
        """Set a version that never was before; return it, if nobody else can change it."""


class ProcessVersions:
    """For a store that one process alone writes to, one write at a time: counts, from this process's own start."""

    def __init__(self) -> None:
        self._writes: dict[Scope, int] = {}
        self._writing: set[Scope] = set()

    def read(self, scope: Scope) -> str | None:
        return None if scope in self._writing else str(self._writes.get(scope, 0))

    def begin(self, scope: Scope) -> str | None:
        before = self.read(scope)
        self._writing.add(scope)
        return before

    def end(self, scope: Scope) -> str | None:
        self._writes[scope] = self._writes.get(scope, 0) + 1
        self._writing.discard(scope)
        return self.read(scope)


class SharedVersions:
    """For a server that several replicas write to: one record a person, in the server itself.

    Tokens are random, so that no replica ever sees an old one again. A write that ends while another is still going on
    makes the person readable under its own token; the other's end sets the next one, and so nobody misses it.
    """

    def __init__(self, client: ClientAPI) -> None:
        self._records: Collection = client.get_or_create_collection("versions", embedding_function=None)

    def read(self, scope: Scope) -> str | None:
        found = self._records.get(ids=[_key(scope)], include=["metadatas"])["metadatas"]
        if not found:
            return NEVER_WRITTEN
        token = str(found[0][TOKEN])
        return None if token == WRITING else token

    def begin(self, scope: Scope) -> str | None:
        self._set(scope, WRITING)
        return None

    def end(self, scope: Scope) -> str | None:
        self._set(scope, uuid4().hex)
        return None

    def _set(self, scope: Scope, token: str) -> None:
        self._records.upsert(ids=[_key(scope)], embeddings=NOWHERE, metadatas=[{TOKEN: token}])


def _key(scope: Scope) -> str:
    return f"{scope.organization_id}/{scope.person_id}"
