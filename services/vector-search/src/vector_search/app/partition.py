"""One person's vectors in memory, and the exact scan over them."""

from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from vector_search.app.ports import Entries, Vectors
from vector_search.domain.texts import Hit, RememberedText

TEXT_OVERHEAD_BYTES = 500  # Python's objects around one text: id, time, tuple slots
PERSON_OVERHEAD_BYTES = 1_000  # so that people without texts are bounded too


@dataclass(frozen=True, slots=True)
class Partition:
    """Immutable, so that a search may go on with it while a write replaces it."""

    entries: Entries

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        texts = sum(len(text.text.encode()) + TEXT_OVERHEAD_BYTES for text in self.entries.texts)
        return PERSON_OVERHEAD_BYTES + self.entries.vectors.nbytes + texts

    def __len__(self) -> int:
        return len(self.entries.texts)

    def search(self, query: Vectors, limit: int, exclude: Collection[str] = ()) -> list[Hit]:
        """Return the nearest texts, best first, of equally near ones the newest; exact, for every vector is scanned."""
        if not self.entries.texts:
            return []
        scores = (self.entries.vectors @ query).clip(-1.0, 1.0)
        hidden = set(exclude)
        # Excluded texts may be among the best, so that many more candidates are looked at.
        wanted = limit + len(hidden)
        if wanted < len(scores):
            worst_wanted = np.partition(scores, -wanted)[-wanted]
            rows = np.flatnonzero(scores >= worst_wanted).tolist()
            hits = [Hit(self.entries.texts[row], float(scores[row])) for row in rows]
        else:
            hits = list(map(Hit, self.entries.texts, scores.tolist()))
        # Sorting keeps the order of equals: what counts most comes last.
        hits.sort(key=attrgetter("text.text_id"))
        hits.sort(key=attrgetter("text.created_at"), reverse=True)
        hits.sort(key=attrgetter("score"), reverse=True)
        return [hit for hit in hits if hit.text.text_id not in hidden][:limit]

    def with_entries(self, added: Entries) -> "Partition":
        """Return a partition in which the added texts replace those with the same id."""
        kept = self.without([text.text_id for text in added.texts]).entries
        return Partition(
            Entries((*kept.texts, *added.texts), np.concatenate([kept.vectors, added.vectors], dtype=np.float32))
        )

    def without(self, text_ids: Collection[str]) -> "Partition":
        """Return a partition without these texts."""
        gone = set(text_ids)
        rows = [row for row, text in enumerate(self.entries.texts) if text.text_id not in gone]
        if len(rows) == len(self.entries.texts):
            return self
        texts: tuple[RememberedText, ...] = tuple(self.entries.texts[row] for row in rows)
        return Partition(Entries(texts, self.entries.vectors[rows]))

    def emptied(self) -> "Partition":
        """Return a partition without any text."""
        return Partition(Entries((), self.entries.vectors[:0]))
