"""Persons with check-ins, for tests of speaking first: whatever the hour is at which they run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from contracts.events.v1 import events_pb2
from support.coaching import Stage


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has written once, long enough ago not to be in a conversation, and who has no quiet hours."""

    sender: str
    person_id: UUID
    organization: str

    @staticmethod
    async def known(around: Stage, sender: str, zone: str | None = "Europe/Berlin") -> "Person":
        """Let a person write and be answered; then set their zone, and the clock of their last word back."""
        await around.say("I went for a long walk and it felt good", sender)
        await around.answered(1, sender)
        [row] = await around.rows(
            "SELECT p.id FROM coaching.people p JOIN coaching.identities i ON i.person_id = p.id"
            " WHERE i.sender_id = $1 AND p.organization_id = $2",
            sender,
            around.organization,
        )
        async with around.database.connect() as owner:
            await owner.execute(
                "UPDATE coaching.people SET time_zone = $2, quiet_start = '00:00', quiet_end = '00:00',"
                " last_message_at = now() - interval '2 days' WHERE id = $1",
                row["id"],
                zone,
            )
        return Person(sender, row["id"], around.organization)

    async def be_quiet(self, around: Stage, start: datetime, end: datetime) -> None:
        """Set quiet hours on the wall clock of UTC."""
        async with around.database.connect() as owner:
            await owner.execute(
                "UPDATE coaching.people SET quiet_start = $2, quiet_end = $3 WHERE id = $1",
                self.person_id, start.time().replace(second=0, microsecond=0),
                end.time().replace(second=0, microsecond=0),
            )  # fmt: skip


async def add_check_in(
    around: Stage, person: Person, due_at: datetime | None = None, trigger: str = "scheduled_check_in",
    catch_up: str = "once", zone: str = "Europe/Berlin", **columns: object,
) -> UUID:  # fmt: skip
    """Insert a daily check-in that is due at `due_at`: just now where nothing is said."""
    due = due_at or datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    check_in_id = uuid4()
    given = {
        "organization_id": UUID(around.organization), "id": check_in_id, "person_id": person.person_id,
        "trigger": trigger, "rule": "FREQ=DAILY", "time_zone": zone, "catch_up": catch_up, "next_due_at": due,
        **columns,
    }  # fmt: skip
    names, places = ", ".join(given), ", ".join(f"${number}" for number in range(1, len(given) + 1))
    async with around.database.connect() as owner:
        await owner.execute(
            f"INSERT INTO coaching.check_ins ({names}, local_time, starts_on) SELECT {places},"
            f" (local.at)::time, (local.at)::date - 30 FROM (SELECT ${len(given) + 1}::timestamptz"
            f" AT TIME ZONE '{zone}' AS at) AS local",
            *given.values(),
            due,
        )
    return check_in_id


async def nudges(around: Stage) -> list[asyncpg.Record]:
    """Return all nudges, by the time at which they fell due."""
    return await around.rows("SELECT * FROM coaching.nudges ORDER BY due_at, id")


async def decisions(around: Stage) -> list[tuple[str, str, str]]:
    """Return who asked, the verdict and its reason, of all decisions in order."""
    rows = await around.rows("SELECT asked_by, verdict, reason FROM coaching.decisions ORDER BY number")
    return [(row["asked_by"], row["verdict"], row["reason"]) for row in rows]


async def proactive(around: Stage, count: int, seconds: float = 10.0) -> Sequence[events_pb2.OutboundMessage]:
    """Take up to `count` proactive messages from OUTBOUND, waiting so long for them."""
    return await around.outbound(count, seconds, consumer="channel-adapter-proactive")
