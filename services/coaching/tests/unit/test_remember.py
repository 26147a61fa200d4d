"""What turns left behind goes to the memory index, whatever happens to the database meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from coaching.app.ports import StoreUnavailableError
from coaching.app.remember import Remember
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.messages import MemoryText
from coaching.domain.prompt import Recalled

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Queue:
    """A queue of one text for each person; the database is away for whoever is in `away`."""

    def __init__(self, *people: str, away: str = "") -> None:
        self._texts = [MemoryText("org", person, f"text of {person}", "words", AT, True) for person in people]
        self._away = away
        self.done: list[str] = []

    async def claim(self, limit: int) -> list[MemoryText]:
        return self._texts[:limit]

    async def remembered(self, texts: Sequence[MemoryText], embedding_model: str) -> None:
        if texts[0].person_id == self._away:
            raise StoreUnavailableError("no connection")
        self.done += [text.person_id for text in texts]

    async def postponed(self, texts: Sequence[MemoryText]) -> None:
        raise AssertionError("nothing is postponed here")


class Index:
    """A memory that takes everything."""

    async def upsert(self, organization_id: str, person_id: str, texts: Sequence[MemoryText]) -> str:
        return "words"

    async def search(
        self, organization_id: OrganizationId, person_id: PersonId, query: str, limit: int, exclude: Sequence[str]
    ) -> list[Recalled]:
        return []


async def test_a_batch_is_indexed_person_by_person() -> None:
    queue = Queue("anna", "ben")
    assert await Remember(queue, Index())() == 2
    assert sorted(queue.done) == ["anna", "ben"]


async def test_a_database_that_goes_away_meanwhile_is_said_so_and_cuts_nobody_elses_texts_off() -> None:
    queue = Queue("anna", "ben", "clara", away="anna")
    with pytest.raises(StoreUnavailableError):
        await Remember(queue, Index())()
    assert sorted(queue.done) == ["ben", "clara"]
