"""What is remembered: a text of a person's conversation, and how near it came to a query."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Role(StrEnum):
    """Who said it."""

    PERSON = "person"
    COACH = "coach"


@dataclass(frozen=True, slots=True)
class RememberedText:
    """One text, unique by its id within its person's scope."""

    text_id: str
    text: str
    created_at: datetime
    role: Role

    @property
    def created_us(self) -> int:
        """Microseconds since 1970, exact: how stores keep the time."""
        return (self.created_at - EPOCH) // MICROSECOND

    def digest(self) -> str:
        """Name the content, so that an index can be compared with coaching without moving texts."""
        head = f"{self.role}\n{self.created_us}\n"
        return hashlib.sha256((head + self.text).encode()).hexdigest()[:32]


def from_microseconds(value: int) -> datetime:
    """Return the aware time of `created_us`."""
    return EPOCH + value * MICROSECOND


@dataclass(frozen=True, slots=True)
class Hit:
    """A text that a search found; `score` is the cosine similarity, -1 to 1."""

    text: RememberedText
    score: float
