"""One platform, killed part by part while people are being answered; the tests look at what came of it.

FAULT_KILLS says how often each part is killed (once), FAULT_SEED repeats an earlier plan. About 5 s a kill.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.aftermath import Aftermath, settled
from support.faults import EVERY_POINT, PARTS, WORKERS, Killed, Killer, Turns, plan
from support.scripted import Scripted, scripted_platform

KILLS = int(os.environ.get("FAULT_KILLS") or 1)
SEED = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(1_000_000))
# The first test waits for all of it; a machine may be five times as slow as ours.
TEST_SECONDS = 600 + KILLS * len(PARTS) * 30
# How long a call to the fake Telegram takes: long enough that a random moment finds some in flight.
SEND_SECONDS = 0.1
# Short times, so that what a dead process held is soon somebody else's.
QUICK = {
    "MAX_WORKERS": str(WORKERS),
    "TURN_LEASE_SECONDS": "2",
    "TURN_SETTLE_SECONDS": "0.2",
    "TURN_SETTLE_MAX_SECONDS": "1",
    "DELIVERY_LEASE_SECONDS": "8",
    "NATS_ACK_WAIT_SECONDS": "3",
    "EMBEDDER": "hashing",
    "LOG_LEVEL": "INFO",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that their kills take."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def aftermath(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Aftermath]:
    """What was left when everything had been killed and all was quiet again."""
    plugins = request.config.pluginmanager
    tell, capture = plugins.getplugin("terminalreporter").write_line, plugins.getplugin("capturemanager")
    folder = tmp_path_factory.mktemp("faults")
    armed = folder / "points"
    armed.mkdir()
    points = ",".join(f"{point}@{armed / point}" for point in EVERY_POINT)
    with scripted_platform(folder, True, FAULT_POINTS=points, **QUICK) as scripted:
        scripted.telegram.bot.send_seconds = SEND_SECONDS
        # Told at once, and not captured: a seed must be known even when the run is cut off.
        with capture.global_and_fixture_disabled():
            found = scripted.loop.run(campaign(scripted, armed, tell), TEST_SECONDS)
        yield found


async def campaign(scripted: Scripted, armed: Path, tell: Callable[[str], None]) -> Aftermath:
    """Kill as planned, wait for the end, and tell what it came to."""
    turns = Turns(scripted, random.Random(SEED))
    scripted.model.script = turns.answering
    killer = Killer(scripted, armed, turns)
    kills: list[Killed] = []
    tell(f"FAULT_SEED={SEED} FAULT_KILLS={KILLS}")
    for kill in plan(SEED, KILLS):
        begun = time.monotonic()
        kills.append(await killer.carry_out(kill))
        tell(f"{kill.part} at {kill.point or 'a random moment'}: back after {time.monotonic() - begun:.1f} s")
    begun = time.monotonic()
    found = await settled(scripted, killer, turns, kills, SEED)
    tell(f"{found}; quiet after {time.monotonic() - begun:.1f} s")
    return found
