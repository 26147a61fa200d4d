"""A thousand check-ins due at once, and two replicas of everything of which one is killed: each leaves once."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from statistics import quantiles
from typing import Any

import pytest

from support.crowd import Crowd, Talk, talking
from support.world import World, until, world

THOUSAND = 1000
SOME = 200
TALKING = 5
MINUTE_SECONDS = 60.0
# In which words are prepared: for each of a thousand, and for each of some.
AHEAD_SECONDS = {THOUSAND: 45, SOME: 20}
LATE_SECONDS = 5.0  # a second one would have come by then
REPLICATED = ("llm-inference", "coaching", "channel-adapter", "gateway")
# Sends that one channel-adapter has under way at once for messages that the coach begins: half of MAX_WORKERS.
UNDER_WAY = 2
LEAVE = {"TURNS_PER_MINUTE": "10000", "DELIVERY_LEASE_SECONDS": "6", "LIVE_CONVERSATION_SECONDS": "0"}
Tell = Callable[[str], None]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Write a line that is not captured: the figures of a run."""
    plugins = request.config.pluginmanager
    write, capture = plugins.getplugin("terminalreporter").write_line, plugins.getplugin("capturemanager")

    def told(line: str) -> None:
        with capture.global_and_fixture_disabled():
            write(line)

    return told


@pytest.fixture(scope="module")
def one_of_each(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("thousand"), **LEAVE) as found:
        yield found


@pytest.fixture(scope="module")
def two_of_each(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("twice"), "--replicas", "2", **LEAVE) as found:
        yield found


async def due_soon(found: World, number: int) -> Crowd:
    """Gather people whose check-ins are due in a while, at an hour at which that is allowed."""
    found.clock.forward_to(f"11:59:{60 - AHEAD_SECONDS[number]}")
    due_at = found.clock.next("12:00")
    return await Crowd.gathered(found, number, due_at)


def answered_once(talk: Talk, found: World) -> None:
    heard = Counter({person.chat_id: found.heard(person) for person in talk.people})
    assert heard == talk.written


def figures(crowd: Crowd, talk: Talk) -> str:
    late, took = crowd.lateness(), quantiles(talk.seconds, n=100) if len(talk.seconds) > 1 else []
    return (
        f"{len(late)} sent: half within {late[len(late) // 2]:.1f} s of their due time, all within {late[-1]:.1f} s;"
        f" meanwhile {len(talk.seconds)} answers, half within {took[49]:.1f} s, 99 % within {took[98]:.1f} s"
    )


@pytest.mark.guarantee("NUDGE-thousand")
async def test_a_thousand_check_ins_that_are_due_at_once_leave_within_a_minute(one_of_each: World, tell: Tell) -> None:
    async with talking(one_of_each, TALKING) as talk:
        crowd = await due_soon(one_of_each, THOUSAND)
        await crowd.all_written_to(AHEAD_SECONDS[THOUSAND] + MINUTE_SECONDS)
        await asyncio.sleep(LATE_SECONDS)
    worded = Counter(source for found in (await crowd.deliveries()).values() for _, source in found)
    tell(f"{figures(crowd, talk)}; worded by {dict(worded)}")
    assert crowd.sent() == dict.fromkeys(crowd.chats, 1)
    late = crowd.lateness()
    assert late[0] >= 0
    assert late[-1] <= MINUTE_SECONDS
    answered_once(talk, one_of_each)


@pytest.mark.guarantee("NUDGE-once")
async def test_one_of_two_replicas_that_is_killed_meanwhile_is_not_noticed(two_of_each: World, tell: Tell) -> None:
    async with talking(two_of_each, TALKING) as talk:
        crowd = await due_soon(two_of_each, SOME)

        async def begun() -> bool:
            return len(crowd.sent()) >= SOME // 8

        await until(begun, AHEAD_SECONDS[SOME] + MINUTE_SECONDS)
        before = parts(two_of_each)
        for name in REPLICATED:
            os.kill(before[name]["pid"], signal.SIGKILL)
        at_kill = len(crowd.sent())
        await crowd.all_written_to(MINUTE_SECONDS)

        async def back() -> bool:
            now = parts(two_of_each)
            return all(now[name]["state"] == "ready" and now[name]["pid"] != before[name]["pid"] for name in REPLICATED)

        await until(back, MINUTE_SECONDS)
        await asyncio.sleep(LATE_SECONDS)
    sent = crowd.sent()
    tell(f"{figures(crowd, talk)}; {at_kill} had been sent when one of each was killed")
    assert max(sent.values()) == 1
    # What the killed sender had under way may have arrived or not; nobody knows, and it is not sent again.
    deliveries = await crowd.deliveries()
    missed = {chat: [state for state, _ in deliveries.get(chat, [])] for chat in crowd.chats if chat not in sent}
    assert all(states == ["unknown"] for states in missed.values()), missed
    assert len(missed) <= UNDER_WAY
    assert {len(found) for found in deliveries.values()} == {1}
    answered_once(talk, two_of_each)


def parts(found: World) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in found.scripted.platform.run_json()["parts"]}
