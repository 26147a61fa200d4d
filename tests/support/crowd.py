"""Many people with a check-in each, written as rows: they pressed Start long ago. And some who talk meanwhile."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from fakes.telegram import Person
from support.database import DEFAULT_ORGANIZATION
from support.scripted import BOT_ID
from support.world import World

ORGANIZATION = UUID(DEFAULT_ORGANIZATION)
FIRST_CHAT = 8_000_001
_GIVEN = "unnest($1::uuid[], $2::text[]) AS given (id, chat)"
# The person is written after its first identity, as the service does; $3: our account, or when the check-ins are due.
_IDENTITIES = f"""
    INSERT INTO coaching.identities (organization_id, channel, account, sender_id, person_id, last_inbound_at)
    SELECT '{ORGANIZATION}', 'telegram', $3, given.chat, given.id, now() - interval '90 days' FROM {_GIVEN}
"""
_PEOPLE = f"""
    WITH people AS (
        INSERT INTO coaching.people (organization_id, id, locale, time_zone, last_message_at, notice_given_at)
        SELECT '{ORGANIZATION}', given.id, 'en', 'Europe/Berlin', now() - interval '90 days', now() - interval '90 days'
        FROM {_GIVEN}
    ), identities AS ({_IDENTITIES})
    INSERT INTO coaching.conversations (organization_id, id, person_id, channel, account, address, last_inbound_at)
    SELECT '{ORGANIZATION}', gen_random_uuid(), given.id, 'telegram', $3, given.chat, now() - interval '90 days'
    FROM {_GIVEN}
"""
# Their words may be prepared from now on.
_CHECK_INS = f"""
    INSERT INTO coaching.check_ins (organization_id, id, person_id, trigger, rule, local_time, time_zone, starts_on,
        catch_up, next_due_at, prepare_at)
    SELECT '{ORGANIZATION}', gen_random_uuid(), given.id, 'scheduled_check_in', 'FREQ=DAILY',
        ($3::timestamptz AT TIME ZONE 'Europe/Berlin')::time, 'Europe/Berlin',
        ($3::timestamptz AT TIME ZONE 'Europe/Berlin')::date, 'once', $3, now() - interval '90 days'
    FROM {_GIVEN}
"""
_DELIVERIES = """
    SELECT d.address::bigint AS chat, d.state, m.source FROM coaching.deliveries d
    JOIN coaching.messages m ON m.organization_id = d.organization_id AND m.id = d.message_id
    WHERE d.kind = 'proactive' AND d.address = ANY ($1::text[])
"""
PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class Crowd:
    """People who are written to at one moment; `due_at` by the world's time."""

    world: World
    chats: list[int]
    due_at: datetime

    @classmethod
    async def gathered(cls, world: World, number: int, due_at: datetime) -> "Crowd":
        """Write so many people, each with a daily check-in that is due at `due_at`."""
        bot = world.scripted.telegram.bot
        first = max([FIRST_CHAT - 1, *bot.chats]) + 1
        chats = list(range(first, first + number))
        bot.chats.update(chats)
        ids, names = [uuid4() for _ in chats], [str(chat) for chat in chats]
        await world.ask(_PEOPLE, ids, names, BOT_ID)
        await world.ask(_CHECK_INS, ids, names, due_at)
        return cls(world, chats, due_at)

    def sent(self) -> Counter[int]:
        """Return how many messages reached each."""
        mine = set(self.chats)
        return Counter(one.chat_id for one in self.world.scripted.telegram.bot.sent if one.chat_id in mine)

    def lateness(self) -> list[float]:
        """Return how many seconds after the due time each message arrived, in order."""
        mine = set(self.chats)
        arrived = [one.at for one in self.world.scripted.telegram.bot.sent if one.chat_id in mine]
        return sorted((self.world.clock.at(at) - self.due_at).total_seconds() for at in arrived)

    async def deliveries(self) -> dict[int, list[tuple[str, str]]]:
        """Return for each the state of their deliveries, and who worded them."""
        found: dict[int, list[tuple[str, str]]] = {}
        for row in await self.world.ask(_DELIVERIES, [str(chat) for chat in self.chats]):
            found.setdefault(row["chat"], []).append((row["state"], row["source"]))
        return found

    async def all_written_to(self, seconds: float) -> None:
        """Wait until something reached everybody, or for so long."""
        end = time.monotonic() + seconds
        while len(self.sent()) < len(self.chats) and time.monotonic() < end:  # noqa: ASYNC110  # another loop's list
            await asyncio.sleep(0.1)


@dataclass(slots=True)
class Talk:
    """What some people wrote, the next message a second after each answer; `seconds`: how long the answers took."""

    people: Sequence[Person]
    written: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


@asynccontextmanager
async def talking(world: World, number: int) -> AsyncIterator[Talk]:
    """Let some people write all the while; at the end each has been answered."""
    talk = Talk([world.scripted.person() for _ in range(number)])
    over = asyncio.Event()

    async def converse(person: Person) -> None:
        while not over.is_set():
            begun = time.monotonic()
            talk.written[person.chat_id] += 1
            world.scripted.tell(person, f"This is my message {talk.written[person.chat_id]}")
            await world.scripted.hears(person, talk.written[person.chat_id], 90)
            talk.seconds.append(time.monotonic() - begun)
            await asyncio.sleep(PAUSE_SECONDS)

    conversations = asyncio.gather(*(converse(person) for person in talk.people))
    try:
        yield talk
        over.set()
        await conversations
    finally:
        conversations.cancel()
