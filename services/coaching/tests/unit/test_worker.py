"""The worker: how many turns at once, what becomes of those that fail, and of those whose lease is lost."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from coaching.app.ports import Context, StoreUnavailableError
from coaching.domain.ids import ConversationId, OrganizationId, PersonId, TurnId
from coaching.domain.people import Person, PersonChange
from coaching.domain.turn import Claim, Conversation, OpenedTurn, Reply, Source, TurnRecord
from coaching.entrypoints.worker import TURNS_PER_WORKER, Worker
from kit.clock import SystemClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Pile:
    """Conversations that wait; what is claimed, given back and lost is kept."""

    waiting: list[str]
    lost: set[str] = field(default_factory=set)
    released: list[tuple[str, float, bool]] = field(default_factory=list)
    away: int = 0  # the next so many calls fail

    async def claim(self, limit: int) -> list[Claim]:
        if self.away:
            self.away -= 1
            raise StoreUnavailableError("08006")
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return [Claim(OrganizationId("o"), ConversationId(name), 1) for name in taken]

    async def extend(self, claims: Sequence[Claim]) -> set[Claim]:
        return {claim for claim in claims if claim.conversation_id not in self.lost}

    async def release(self, claim: Claim, delay_seconds: float, *, failed: bool) -> None:
        self.released.append((claim.conversation_id, delay_seconds, failed))

    async def open(self, claims: Sequence[Claim]) -> list[OpenedTurn]:
        return [
            OpenedTurn(
                claim, TurnId(claim.conversation_id), Conversation(claim.conversation_id, "web", "default", "a", 2),
                Person(PersonId("p"), "en"), (), NOW,
            )
            for claim in claims
        ]  # fmt: skip

    async def context(self, opened: OpenedTurn) -> Context:
        raise AssertionError("no step is walked here")

    async def record(self, record: TurnRecord) -> bool:
        raise AssertionError("no step is walked here")


@dataclass
class Walks:
    """Takes turns by `do`, and counts how many run at once."""

    do: Callable[[OpenedTurn], Any]
    running: int = 0
    most: int = 0
    done: list[str] = field(default_factory=list)

    async def __call__(self, opened: OpenedTurn) -> TurnRecord | None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.do(opened)
        finally:
            self.running -= 1
        self.done.append(opened.conversation.conversation_id)
        return TurnRecord(opened, Reply("hi", Source.MODEL), PersonChange(), (), None, (), False, 0)


def worker(pile: Pile, walks: Walks, **changes: Any) -> Worker:
    given = {"max_workers": 1, "lease_seconds": 30, "turn_seconds": 60, "poll_seconds": 0.02, **changes}
    return Worker(pile, pile, walks, lambda: None, SystemClock(), **given)


async def until(found: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not found():  # noqa: ASYNC110  # what is waited for is another object's state
            await asyncio.sleep(0.01)


async def test_one_worker_walks_sixteen_turns_at_once_and_takes_the_rest_as_they_end() -> None:
    pile = Pile([str(number) for number in range(40)])
    walks = Walks(lambda _: asyncio.sleep(0.05))
    stopping = asyncio.Event()
    part = worker(pile, walks)
    task = asyncio.create_task(part.run(stopping))
    await until(lambda: walks.running == TURNS_PER_WORKER)
    assert part.ahead() == TURNS_PER_WORKER
    await until(lambda: len(walks.done) == 40)
    assert (walks.most, part.ahead()) == (TURNS_PER_WORKER, 0)
    stopping.set()
    await task


async def test_a_turn_that_fails_is_given_back_with_a_delay_and_the_others_go_on() -> None:
    async def do(opened: OpenedTurn) -> None:
        if opened.conversation.conversation_id == "bad":
            raise RuntimeError("a step failed")

    pile, walks, stopping = Pile(["good", "bad", "fine"]), Walks(do), asyncio.Event()
    task = asyncio.create_task(worker(pile, walks).run(stopping))
    await until(lambda: pile.released)
    stopping.set()
    await task
    assert pile.released == [("bad", 2.0, True)]
    assert sorted(walks.done) == ["fine", "good"]


async def test_a_turn_whose_lease_is_lost_is_stopped() -> None:
    pile, stopping, given_back = Pile(["mine", "lost"]), asyncio.Event(), asyncio.Event()
    pile.lost = {"lost"}
    walks = Walks(lambda _: given_back.wait())  # neither ends before the lost one is given back
    task = asyncio.create_task(worker(pile, walks, lease_seconds=0.3).run(stopping))
    await until(lambda: pile.released)
    given_back.set()
    await until(lambda: walks.done)
    stopping.set()
    await task
    assert walks.done == ["mine"]
    assert pile.released == [("lost", 0.0, False)]


async def test_a_database_that_is_away_is_asked_again() -> None:
    pile, walks, stopping = Pile(["a"], away=2), Walks(lambda _: asyncio.sleep(0)), asyncio.Event()
    task = asyncio.create_task(worker(pile, walks).run(stopping))
    await until(lambda: walks.done)
    stopping.set()
    await task


async def test_a_stop_lets_turns_end_and_a_cut_off_gives_them_back() -> None:
    pile, walks, stopping = Pile(["a"]), Walks(lambda _: asyncio.sleep(0.1)), asyncio.Event()
    task = asyncio.create_task(worker(pile, walks).run(stopping))
    await until(lambda: walks.running)
    stopping.set()
    await task
    assert walks.done == ["a"]

    pile, walks, stopping = Pile(["b"]), Walks(lambda _: asyncio.sleep(60)), asyncio.Event()
    task = asyncio.create_task(worker(pile, walks).run(stopping))
    await until(lambda: walks.running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (walks.done, pile.released) == ([], [("b", 0.0, False)])


async def test_waking_later_looks_when_the_time_has_come() -> None:
    pile, walks, stopping = Pile([]), Walks(lambda _: asyncio.sleep(0)), asyncio.Event()
    part = worker(pile, walks, poll_seconds=30)
    task = asyncio.create_task(part.run(stopping))
    await asyncio.sleep(0.05)
    pile.waiting.append("a")
    part.wake(0.05)
    await until(lambda: walks.done)
    stopping.set()
    await task
