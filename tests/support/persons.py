"""People as coaching's tables hold them, written without a turn: for tests of what the coach does first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from support.database import DEFAULT_ORGANIZATION, TestDatabase

_PERSON = """
    INSERT INTO coaching.people (organization_id, id, locale, time_zone, last_message_at, notice_given_at, created_at)
    VALUES ($1, $2, 'en', $3, $4, $5, $4)
"""
_IDENTITY = """
    INSERT INTO coaching.identities (organization_id, channel, account, sender_id, person_id, last_inbound_at)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
_CONVERSATION = """
    INSERT INTO coaching.conversations (organization_id, id, person_id, channel, account, address, last_inbound_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


@dataclass(frozen=True, slots=True)
class Written:
    """A person who wrote once, and from where."""

    person_id: str
    conversation_id: str
    sender: str


async def add_person(
    database: TestDatabase,
    sender: str = "anna",
    time_zone: str | None = "Europe/Berlin",
    *,
    told: bool = True,
    organization: str = DEFAULT_ORGANIZATION,
    place: tuple[str, str] = ("web", "default"),
    wrote_at: datetime | None = None,
) -> Written:
    """Write a person with one conversation; their last message was a day ago unless `wrote_at` says otherwise."""
    at = wrote_at or datetime.now(UTC) - timedelta(days=1)
    person_id, conversation_id = str(uuid4()), str(uuid4())
    async with database.connect() as owner, owner.transaction():
        await owner.execute(_PERSON, organization, person_id, time_zone, at, at if told else None)
        await owner.execute(_IDENTITY, organization, *place, sender, person_id, at)
        await owner.execute(_CONVERSATION, organization, conversation_id, person_id, *place, sender, at)
    return Written(person_id, conversation_id, sender)
