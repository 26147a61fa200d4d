"""A store that forgets at exit: what the others must behave like, without a disk."""

from collections.abc import Collection, Mapping

import numpy as np

from vector_search.app.ports import Change, Entries, Vectors, VectorStore
from vector_search.domain.scope import Reach, Scope, one_organization
from vector_search.domain.texts import RememberedText
from vector_search.settings import VectorSearchSettings

Row = tuple[RememberedText, Vectors]


class MemoryStore:
    """Dictionaries; a version is a count of writes."""

    shared = False

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._people: dict[Scope, dict[str, Row]] = {}
        self._writes: dict[Scope, int] = {}
        self._complete = False

    async def versions(self, scopes: Collection[Scope]) -> Mapping[Scope, str | None]:
        return {scope: str(self._writes.get(scope, 0)) for scope in scopes}

    async def load(self, scope: Scope) -> Entries:
        rows = list(self._people.get(scope, {}).values())
        vectors = np.empty((len(rows), self._dimensions), dtype=np.float32)
        for place, (_, vector) in enumerate(rows):
            vectors[place] = vector
        return Entries(tuple(text for text, _ in rows), vectors)

    async def digests(self, scope: Scope, text_ids: Collection[str] | None = None) -> Mapping[str, str]:
        person = self._people.get(scope, {})
        wanted = person.keys() if text_ids is None else person.keys() & set(text_ids)
        return {text_id: person[text_id][0].digest() for text_id in wanted}

    async def known(self, named: Mapping[Scope, Collection[str]]) -> Mapping[Scope, Mapping[str, str]]:
        return {scope: await self.digests(scope, text_ids) for scope, text_ids in named.items()}

    async def upsert(self, entries: Mapping[Scope, Entries]) -> Mapping[Scope, Change]:
        _ = one_organization(entries)
        for scope, own in entries.items():
            person = self._people.setdefault(scope, {}) if own.texts else {}
            for text, vector in zip(own.texts, own.vectors, strict=True):
                person[text.text_id] = (text, vector)
        return {scope: self._written(scope, len(own.texts)) for scope, own in entries.items()}

    async def delete(self, scope: Scope, text_ids: Collection[str]) -> Change:
        person = self._people.get(scope, {})
        gone = [text_id for text_id in set(text_ids) if person.pop(text_id, None) is not None]
        if not person:
            self._people.pop(scope, None)
        return self._written(scope, len(gone))

    async def delete_person(self, scope: Scope) -> Change:
        return self._written(scope, len(self._people.pop(scope, {})))

    def _written(self, scope: Scope, count: int) -> Change:
        before = self._writes.get(scope, 0)
        self._writes[scope] = before + 1
        return Change(count, str(before), str(before + 1))

    async def inventory(self, reach: Reach) -> Mapping[Scope, Mapping[str, str]]:
        return {scope: await self.digests(scope) for scope in self._people if reach.covers(scope)}

    async def is_complete(self) -> bool:
        return self._complete

    async def mark_complete(self) -> None:
        self._complete = True

    async def check(self) -> None:
        return

    async def close(self) -> None:
        return


async def open_memory(_: VectorSearchSettings, __: str, dimensions: int) -> VectorStore:
    """Return an empty store."""
    return MemoryStore(dimensions)
