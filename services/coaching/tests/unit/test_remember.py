"""What turns left behind goes to the memory index, whatever happens to the database meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from coaching.app.ports import MemoryUnavailableError, StoreUnavailableError
from coaching.app.remember import Remember
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.messages import MemoryText
from coaching.domain.prompt import Recalled

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Queue:
    """A queue of one text for each person, given as organisation/person; the database is away for one organisation."""

    def __init__(self, *people: str, away: str = "") -> None:
        pairs = [one.split("/") for one in people]
        self._texts = [MemoryText(first, person, f"of {person}", "words", AT, True) for first, person in pairs]
        self._away = away
        self.done: list[list[str]] = []
        self.later: list[list[str]] = []

    async def claim(self, limit: int) -> list[MemoryText]:
        return self._texts[:limit]

    async def remembered(self, texts: Sequence[MemoryText], embedding_model: str) -> None:
        self.done.append(self._noted(texts))

    async def postponed(self, texts: Sequence[MemoryText]) -> None:
        self.later.append(self._noted(texts))

    def _noted(self, texts: Sequence[MemoryText]) -> list[str]:
        if texts[0].organization_id == self._away:
            raise StoreUnavailableError("no connection")
        return [text.person_id for text in texts]


class Index:
    """A memory that takes everything but what certain persons said."""

    def __init__(self, *refused: str) -> None:
        self._refused = refused
        self.calls = 0

    async def upsert(self, people: Sequence[Sequence[MemoryText]]) -> Sequence[str | MemoryUnavailableError]:
        self.calls += 1
        return [MemoryUnavailableError() if own[0].person_id in self._refused else "words" for own in people]

    async def search(
        self, organization_id: OrganizationId, person_id: PersonId, query: str, limit: int, exclude: Sequence[str]
    ) -> list[Recalled]:
        return []


async def test_a_batch_is_indexed_together_and_noted_by_organisation() -> None:
    queue, index = Queue("one/anna", "two/ben", "one/clara"), Index()
    assert await Remember(queue, index)() == 3
    assert (index.calls, sorted(queue.done), queue.later) == (1, [["anna", "clara"], ["ben"]], [])


async def test_what_is_refused_of_one_person_is_tried_again_and_holds_up_nobody_else() -> None:
    queue = Queue("one/anna", "one/ben", "one/clara")
    assert await Remember(queue, Index("ben"))() == 3
    assert (queue.done, queue.later) == ([["anna", "clara"]], [["ben"]])


async def test_a_database_that_goes_away_meanwhile_is_said_so_and_cuts_nobody_elses_texts_off() -> None:
    queue = Queue("one/anna", "two/ben", "three/clara", away="one")
    with pytest.raises(StoreUnavailableError):
        await Remember(queue, Index())()
    assert sorted(queue.done) == [["ben"], ["clara"]]
