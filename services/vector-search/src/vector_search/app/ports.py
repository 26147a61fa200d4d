"""What the use cases need from outside."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vector_search.domain.scope import Reach, Scope
from vector_search.domain.texts import RememberedText

Vectors = npt.NDArray[np.float32]  # one row a text, each of length 1


@dataclass(frozen=True, slots=True)
class Entries:
    """Texts and their vectors, row by row."""

    texts: tuple[RememberedText, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Change:
    """One write of a person's vectors.

    `before` and `after` are the versions that it lies between, known only where nobody else writes (else both None);
    `count` is how many texts it stored or deleted.
    """

    count: int
    before: str | None = None
    after: str | None = None


class Embedder(Protocol):
    """Turns texts into vectors. Blocking: `app.embedding` keeps it off the event loop."""

    @property
    def model(self) -> str:
        """Name and hash of the model; vectors of different models are never compared."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row a text, in the order of the texts, each of length 1."""


class VectorStore(Protocol):
    """Keeps vectors on disk, by person. Every way to texts and vectors goes through a Scope.

    All methods may raise StoreUnavailableError.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes write to it too."""

    async def versions(self, scopes: Collection[Scope]) -> Mapping[Scope, str | None]:
        """Return what changes with every write of each person, by whichever process; None: do not keep what you load.

        When a write has returned, no version that was read before it is ever current again.
        """

    async def load(self, scope: Scope) -> Entries:
        """Return everything of a person."""

    async def digests(self, scope: Scope, text_ids: Collection[str] | None = None) -> Mapping[str, str]:
        """Return the digest of each text of a person, or of those of the named that are there, by text id."""

    async def known(self, named: Mapping[Scope, Collection[str]]) -> Mapping[Scope, Mapping[str, str]]:
        """Return the digests of those of the named texts that are there; all persons are of one organisation."""

    async def upsert(self, entries: Mapping[Scope, Entries]) -> Mapping[Scope, Change]:
        """Store texts, replacing those with the same id; all persons are of one organisation.

        A person without texts gets a new version alone.
        """

    async def delete(self, scope: Scope, text_ids: Collection[str]) -> Change:
        """Delete texts by id; ids that are not there are not counted."""

    async def delete_person(self, scope: Scope) -> Change:
        """Delete everything of a person."""

    async def inventory(self, reach: Reach) -> Mapping[Scope, Mapping[str, str]]:
        """Return the digests of everybody, for a rebuild: ids and hashes, never a text or a vector."""

    async def is_complete(self) -> bool:
        """Whether the index, with this embedding model, has once held everything that coaching has."""

    async def mark_complete(self) -> None:
        """Note that it does, and remove what an earlier embedding model or an unreadable index left."""

    async def check(self) -> None:
        """Raise StoreUnavailableError unless the store answers."""

    async def close(self) -> None:
        """Finish writes in progress and let go of files and connections."""


class TextSource(Protocol):
    """Coaching, which owns the texts."""

    def everything(self, reach: Reach) -> AsyncIterator[tuple[Scope, RememberedText]]:
        """Stream all texts; raises SourceUnavailableError."""

    def of_person(self, scope: Scope) -> AsyncIterator[RememberedText]:
        """Stream one person's texts; raises SourceUnavailableError."""
