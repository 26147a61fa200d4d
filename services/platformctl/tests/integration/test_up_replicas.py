"""`platformctl up --replicas 2`: two of each service answer at one address, and one that is killed is not missed."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from fakes.openai_server import Asked, Reply
from fakes.telegram import Person
from support.platform import platformctl
from support.scripted import Scripted, scripted_platform

REPLICATED = ("llm-inference", "coaching", "channel-adapter", "gateway")
ALONE = ("postgres", "nats", "valkey", "vector-search")
PEOPLE = 8
CONNECTIONS = 40
# A killed coaching's turns are taken up after TURN_LEASE_SECONDS, a lost claim after DELIVERY_LEASE_SECONDS.
QUICK = {"TURN_LEASE_SECONDS": "3", "DELIVERY_LEASE_SECONDS": "6", "EMBEDDER": "hashing", "VECTOR_STORE": "memory"}
ANSWER_SECONDS = 60
LATE_SECONDS = 2.0  # a second answer would come in this time
READY_SECONDS = 60

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    folder = tmp_path_factory.mktemp("two")
    with scripted_platform(folder, webhook=True, arguments=("--replicas", "2"), **QUICK) as found:
        found.model.script = slowly
        yield found


def slowly(asked: Asked) -> Reply:
    """One sentence that takes three seconds, so that a kill meets it unfinished; it names what was asked."""
    return Reply(f"I hear {asked.text.split()[-1]}", first_delay_seconds=1.0, delay_seconds=0.7)


def parts(scripted: Scripted) -> dict[str, dict[str, object]]:
    answer = json.loads(platformctl("status", "--json", "--data", str(scripted.platform.data)).stdout)
    return {part["name"]: part for part in answer["parts"]}


async def until(found: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


def test_each_replica_is_a_part_of_its_own(scripted: Scripted) -> None:
    found = parts(scripted)
    assert set(found) == {*ALONE, *REPLICATED, *(f"{name}-2" for name in REPLICATED)}
    assert all(part["ready"] for part in found.values())
    assert len({part["pid"] for part in found.values()}) == len(found)
    assert found["gateway"]["address"] == found["gateway-2"]["address"]
    for name in REPLICATED:
        assert (scripted.platform.data / "logs" / f"{name}-2.log").exists()
    assert "REPLICAS=2: 2 processes of each service, one of vector-search" in scripted.platform.lines


async def test_both_gateways_take_requests_at_the_one_address(scripted: Scripted) -> None:
    for _ in range(CONNECTIONS):
        async with httpx.AsyncClient(base_url=scripted.url) as client:
            assert (await client.get("/health")).status_code == 200
    ports = scripted.platform.run_json()["ports"]
    for name in ("gateway", "gateway-2"):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[f'{name}.ops']}") as client:
            lines = (await client.get("/metrics")).text.splitlines()
        taken = [line for line in lines if line.startswith("http_requests_total") and 'endpoint="/health"' in line]
        assert taken, name


async def answered(scripted: Scripted, person: Person) -> None:
    [text] = await scripted.hears(person, seconds=ANSWER_SECONDS)
    assert text.endswith(f"I hear word{person.chat_id}")


@pytest.mark.parametrize("victim", ["llm-inference-2", "coaching", "channel-adapter-2", "gateway"])
async def test_one_that_is_killed_while_people_are_answered_is_not_missed(scripted: Scripted, victim: str) -> None:
    before = parts(scripted)
    people = [scripted.person() for _ in range(PEOPLE)]
    first = len(scripted.model.asked)
    for person in people[: PEOPLE // 2]:
        scripted.tell(person, f"Good morning word{person.chat_id}")
    await until(lambda: scripted.model.running > 0 and len(scripted.model.asked) - first >= PEOPLE // 2)
    os.kill(int(str(before[victim]["pid"])), signal.SIGKILL)
    for person in people[PEOPLE // 2 :]:
        scripted.tell(person, f"Good morning word{person.chat_id}")
    await asyncio.gather(*(answered(scripted, person) for person in people))
    await asyncio.sleep(LATE_SECONDS)
    assert [len(scripted.telegram.sent(person.chat_id)) for person in people] == [1] * PEOPLE
    await until(lambda: parts(scripted)[victim]["ready"] is True)
    after = parts(scripted)
    assert {name for name in after if after[name]["pid"] != before[name]["pid"]} == {victim}
    assert after[victim]["restarts"] == 1
