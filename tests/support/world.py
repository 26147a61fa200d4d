"""A platform whose world's time a test sets, and that it stops and starts: for what comes by the clock."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from fakes.telegram import Person
from platformctl.parts.postgres import PostgresPart
from support.platform import platformctl
from support.scripted import BOT_ID, Outside, Scripted, outside

BERLIN = ZoneInfo("Europe/Berlin")
NUDGES = """
    SELECT i.sender_id, n.state, n.reason, n.due_at, n.look_at, d.verdict, d.reason AS because
    FROM coaching.nudges n
    JOIN coaching.identities i ON i.organization_id = n.organization_id AND i.person_id = n.person_id
    JOIN LATERAL (SELECT verdict, reason FROM coaching.decisions d WHERE d.nudge_id = n.id ORDER BY number DESC LIMIT 1)
        d ON true
    WHERE i.sender_id = $1 ORDER BY n.due_at
"""


class WorldClock:
    """The file of TEST_CLOCK: how far the world's time is from the real one, and the error of this machine's clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = timedelta()
        self._error = 0.0
        self._write()

    def now(self) -> datetime:
        """Return what time it is in the world."""
        return datetime.now(UTC) + self._offset

    def next(self, local: str) -> datetime:
        """Return the next time at which clocks in Berlin show this, like 08:30 or 08:29:58."""
        now = self.now().astimezone(BERLIN)
        at = datetime.combine(now.date(), day_time.fromisoformat(local), BERLIN)
        at = at if at > now else datetime.combine(now.date() + timedelta(days=1), day_time.fromisoformat(local), BERLIN)
        return at.astimezone(UTC)

    def forward_to(self, local: str) -> None:
        """Go forward to the next time at which clocks in Berlin show this."""
        self._offset = self.next(local) - datetime.now(UTC)
        self._write()

    def machine_is_wrong_by(self, error: timedelta) -> None:
        """Let the machine's clock jump; the world's time goes on."""
        self._error = error.total_seconds()
        self._write()

    def at(self, monotonic: float) -> datetime:
        """Return the world's time at a moment of time.monotonic(), if it has not been set since."""
        return self.now() - timedelta(seconds=time.monotonic() - monotonic)

    def _write(self) -> None:
        making = self.path.with_suffix(".new")
        making.write_text(f"{self._offset.total_seconds()} {self._error}")
        making.rename(self.path)


class World:
    """A platform and its people; `down` and `up` stop and start all of it."""

    def __init__(self, around: Outside, clock: WorldClock, *arguments: str) -> None:
        self.clock = clock
        self._around = around
        self._arguments = arguments
        self._running = ExitStack()
        self.up()

    def up(self) -> None:
        """Start the platform."""
        self.scripted: Scripted = self._running.enter_context(self._around.running(*self._arguments))

    def down(self) -> None:
        """Stop the platform."""
        self._running.close()

    async def person(self, text: str = "Good evening, I went for a run") -> Person:
        """Return somebody who has written and was answered, a while ago for all that follows."""
        person = self.scripted.person()
        self.scripted.tell(person, text)
        await self.scripted.hears(person)
        return person

    def add_check_in(self, person: Person, at: str, *options: str) -> None:
        """Add a daily check-in in Berlin, as an operator does."""
        who = f"telegram:{BOT_ID}:{person.chat_id}"
        done = platformctl(
            "check-in", "add", "--person", who, "--at", at, "--zone", BERLIN.key, "--data", self._data, *options
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def explained(self, nudge_id: str) -> dict[str, Any]:
        """Return what the operator is told about a nudge."""
        done = platformctl("explain", nudge_id, "--json", "--data", self._data)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @property
    def _data(self) -> str:
        return str(self.scripted.platform.data)

    async def ask(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Ask the platform's database as its owner, whom no policy binds."""
        platform = self.scripted.platform
        part = PostgresPart(platform.data, platform.run_json()["ports"]["postgres.client"])
        owner = await asyncpg.connect(part.url, timeout=20)
        try:
            rows: list[asyncpg.Record] = await owner.fetch(query, *values, timeout=60)
            return rows
        finally:
            await owner.close()

    async def nudges(self, person: Person) -> list[tuple[str, str, str]]:
        """Return state, last verdict and its reason of a person's nudges."""
        rows = await self.ask(NUDGES, str(person.chat_id))
        return [(row["state"], row["verdict"], row["because"]) for row in rows]

    async def forget_check_ins(self) -> None:
        """Let nothing that an earlier test planned fall due."""
        await self.ask("UPDATE coaching.check_ins SET next_due_at = NULL, prepare_at = NULL, paused_at = now()")

    def heard(self, person: Person) -> int:
        """Return how many messages have reached somebody."""
        return len(self.scripted.telegram.sent(person.chat_id))

    def last_heard_at(self, person: Person) -> datetime:
        """Return when in the world the last message reached somebody."""
        return self.clock.at(max(one.at for one in self.scripted.telegram.bot.sent if one.chat_id == person.chat_id))


async def until(found: Callable[[], Awaitable[bool]], seconds: float = 60, what: str = "it did not happen") -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not await found():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.2)


@contextmanager
def world(folder: Path, *arguments: str, **settings: str) -> Iterator[World]:
    """Start a platform whose time is set by a file."""
    clock = WorldClock(folder / "clock")
    quick = {"TURN_SETTLE_SECONDS": "0.2", "TURN_LEASE_SECONDS": "3", "EMBEDDER": "hashing"}
    with outside(folder, True, TEST_CLOCK=str(clock.path), **quick, **settings) as around:
        found = World(around, clock, *arguments)
        try:
            yield found
        finally:
            found.down()
