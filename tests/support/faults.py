"""Killing a platform while people are being answered: which part when, and what was open at that moment.

A part is killed at a named point of the code (kit.faultpoints: a file arms it) or at a random moment. A store has no
points of its own: the process that reaches one kills it, there and then.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from fakes.openai_server import Asked, Reply
from fakes.telegram import Person
from platformctl.parts.postgres import PostgresPart
from support.scripted import Scripted

POINTS = {
    "coaching": (
        "before_inbound_ack", "after_turn_claim", "step_generate", "before_record", "after_record",
        "before_outbox_mark", "before_claim_answer", "before_report_answer",
    ),
    "channel-adapter": ("after_claim", "after_in_flight", "after_request", "before_ack"),
    "gateway": ("after_webhook_read", "before_webhook_answer"),
}  # fmt: skip
EVERY_POINT = tuple(point for points in POINTS.values() for point in points)
PARTS = (*POINTS, "nats", "postgres")
OPEN_TURNS = 20
# channel-adapter sends so many answers at once; their people are replaced a moment later.
WORKERS = 4
# A random kill comes at most so long after its twenty people began to write; new ones follow those who are answered.
WITHIN_SECONDS = 3.0
STEP_SECONDS = 0.005
POINT_SECONDS = 60.0
BACK_SECONDS = 90.0
# The adapter needs longer than this to come back, and coaching less to finish what it had read from it.
REPORTED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: of which part, at which point (none: at a random moment), armed or done after so long."""

    part: str
    point: str | None
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Killed:
    """A kill that was done; `in_flight`: the deliveries whose calls were under way, where the sender was killed."""

    kill: Kill
    open_turns: int
    in_flight: frozenset[str]


def plan(seed: int, kills: int) -> list[Kill]:
    """Return so many kills of each part, half of them (rounded up) at points that take turns, in a random order."""
    chance = random.Random(seed)
    planned: list[Kill] = []
    for part in PARTS:
        points = list(POINTS.get(part, EVERY_POINT))
        chance.shuffle(points)
        at_points = -(-kills // 2)
        for number in range(kills):
            point = points[number % len(points)] if number < at_points else None
            planned.append(Kill(part, point, chance.uniform(0, WITHIN_SECONDS if point is None else 0.5)))
    chance.shuffle(planned)
    return planned


@dataclass(slots=True)
class Turns:
    """People who write one message each; the word in it comes back in the answer."""

    scripted: Scripted
    chance: random.Random
    words: dict[int, str] = field(default_factory=dict)

    def answering(self, asked: Asked) -> Reply:
        """Return the model's answer, which names what was asked and takes its time."""
        asked_about = [word for word in asked.text.replace(".", " ").split() if word.startswith("task")]
        text = f"I have read about {asked_about[-1] if asked_about else 'nothing'}, and one small step is enough."
        return Reply(text, first_delay_seconds=self.chance.uniform(0.05, 0.6), delay_seconds=0.01)

    def write(self) -> int:
        """Let somebody new write; returns their chat."""
        person: Person = self.scripted.telegram.person()
        self.words[person.chat_id] = f"task{person.chat_id}x{len(self.words)}"
        person.say(f"Today I want to begin with {self.words[person.chat_id]}.")
        return person.chat_id

    @asynccontextmanager
    async def kept_open(self, number: int) -> AsyncIterator[Callable[[], int]]:
        """Keep so many turns unanswered, each answered one followed by a new one; yields how many are open now."""
        bot = self.scripted.telegram.bot
        waiting = {self.write() for _ in range(number)}
        seen = len(bot.sent)

        def still() -> int:
            nonlocal seen
            waiting.difference_update(one.chat_id for one in bot.sent[seen:])
            seen = len(bot.sent)
            return len(waiting)

        async def follow() -> None:
            while True:
                waiting.update([self.write() for _ in range(number - still())])
                await asyncio.sleep(STEP_SECONDS)

        following = asyncio.create_task(follow())
        try:
            yield still
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


class Killer:
    """Kills parts of one platform; `folder` holds the files that arm points."""

    def __init__(self, scripted: Scripted, folder: Path, turns: Turns) -> None:
        self._scripted = scripted
        self._folder = folder
        self._turns = turns
        self._cut_off: set[str] = set()

    def parts(self) -> dict[str, Any]:
        """Return what the supervisor says of each part, by name."""
        return {part["name"]: part for part in self._scripted.platform.run_json()["parts"]}

    async def carry_out(self, kill: Kill) -> Killed:
        """Kill once while twenty turns or more are open, and wait until the part is back."""
        before = self.parts()[kill.part]
        async with self._turns.kept_open(OPEN_TURNS + WORKERS) as still:
            await asyncio.sleep(kill.after_seconds)
            if kill.point is None:
                open_turns = still()
                os.kill(before["pid"], signal.SIGKILL)
            else:
                open_turns = await self._at_point(kill, before["pid"], still)
            last_word = datetime.now(UTC) + timedelta(seconds=REPORTED_SECONDS)
        await asyncio.sleep(REPORTED_SECONDS)
        in_flight = await self._in_flight(last_word) if kill.part == "channel-adapter" else frozenset()
        await self._back(kill, before["restarts"])
        return Killed(kill, open_turns, in_flight)

    async def _at_point(self, kill: Kill, pid: int, still: Callable[[], int]) -> int:
        armed = self._folder / str(kill.point)
        making = armed.with_suffix(".new")
        making.write_text("" if kill.part in POINTS else str(pid))
        making.rename(armed)
        end = time.monotonic() + POINT_SECONDS
        open_turns = still()
        while armed.exists():
            assert time.monotonic() < end, f"nobody reached {kill.point}"
            open_turns = still()
            await asyncio.sleep(STEP_SECONDS)
        return open_turns

    async def _in_flight(self, last_word: datetime) -> frozenset[str]:
        """Return what the killed sender had in flight, without what an earlier one had.

        Where coaching was away for longer than a lease, it may have called that unknown already; the sender would have
        told it otherwise.
        """
        rows = await self.ask(
            "SELECT id FROM coaching.deliveries WHERE state = 'unknown' OR state = 'in_flight' AND changed_at <= $1",
            last_word,
        )
        found = frozenset(str(row["id"]) for row in rows) - self._cut_off
        self._cut_off |= found
        return found

    async def _back(self, kill: Kill, restarts: int) -> None:
        end = time.monotonic() + BACK_SECONDS
        while (part := self.parts()[kill.part])["restarts"] <= restarts or part["state"] != "ready":
            assert time.monotonic() < end, f"{kill.part} did not come back: {self._scripted.platform.lines[-20:]}"
            await asyncio.sleep(0.05)

    async def ask(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Ask the platform's database as its owner, whom no policy binds."""
        platform = self._scripted.platform
        part = PostgresPart(platform.data, platform.run_json()["ports"]["postgres.client"])
        owner = await asyncpg.connect(part.url, timeout=10)
        try:
            rows: list[asyncpg.Record] = await owner.fetch(query, *values)
            return rows
        finally:
            await owner.close()
