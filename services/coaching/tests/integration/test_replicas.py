"""Two replicas answer once; a killed one's turns are taken up by the other."""

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.coaching.v1 import coaching_pb2, coaching_pb2_grpc
from kit.grpc_client import channel
from support.coaching import Stage, eventually
from support.database import administer
from support.rolling import kept_asking
from support.services import start_service


@pytest.mark.guarantee("P2-duplicates")
async def test_two_replicas_never_answer_twice(around: Stage) -> None:
    around.llm.pause_seconds = 0.05
    people = [f"person-{number}" for number in range(20)]
    async with around.coaching(), around.coaching():
        for round_number in (1, 2, 3):
            await asyncio.gather(*(around.say(f"round {round_number}", person) for person in people))
            for person in people:
                await around.answered(round_number, person)
    for person in people:
        replies = await around.replies(person)
        assert [reply.rsplit("I heard: ", 1)[1] for reply in replies] == [
            f"round {number}. What else?" for number in (1, 2, 3)
        ]
    delivered = await around.outbound(61, seconds=2)
    assert len({message.delivery_id for message in delivered}) == 60


@pytest.mark.guarantee("P1-turns")
@pytest.mark.parametrize("point", ["after_turn_claim", "before_record", "after_record", "before_inbound_ack"])
async def test_a_turn_of_a_process_that_is_killed_is_answered_once(around: Stage, tmp_path: Path, point: str) -> None:
    armed = tmp_path / "armed"
    armed.touch()
    environment = around.environment(fault_points=f"{point}@{armed}")
    service = start_service("coaching", environment, tmp_path)
    try:
        await service.await_ready()
        await around.say("hello there")
        assert await asyncio.to_thread(service.process.wait, 30) == -signal.SIGKILL
    finally:
        service.process.kill()
        service.process.wait()
    async with around.coaching():
        await around.answered()
        await asyncio.sleep(1)
        assert len(await around.replies()) == 1
        assert len(await around.outbound(2, seconds=2)) == 1
    assert "hello there" not in service.log()


async def test_a_frozen_process_that_wakes_up_after_its_lease_writes_nothing(around: Stage, tmp_path: Path) -> None:
    around.llm.pause_seconds = 0.4
    service = start_service("coaching", around.environment(), tmp_path)
    try:
        await service.await_ready()
        await around.say("hello there")
        await eventually(lambda: asyncio.sleep(0, bool(around.llm.running)))
        service.process.send_signal(signal.SIGSTOP)
        async with around.coaching():
            await around.answered()
            service.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(3)
            assert len(await around.replies()) == 1
        assert await service.stop() == 0
    finally:
        service.process.kill()
        service.process.wait()
    assert len(await around.turns()) == 1


async def test_a_stop_finishes_the_turns_that_have_begun(around: Stage, tmp_path: Path) -> None:
    around.llm.pause_seconds = 0.3
    service = start_service("coaching", around.environment(), tmp_path)
    try:
        await service.await_ready()
        await around.say("hello there")
        await eventually(lambda: asyncio.sleep(0, bool(around.llm.running)))
        assert await service.stop() == 0
        assert len(await around.replies()) == 1
    finally:
        service.process.kill()
        service.process.wait()


async def test_one_of_two_that_stops_fails_none_of_its_callers(around: Stage, tmp_path: Path) -> None:
    running = [start_service("coaching", around.environment(), tmp_path) for _ in range(2)]
    leaving, staying = running
    try:
        for service in running:
            await service.await_ready()
        async with channel(f"{leaving.address},{staying.address}") as opened:
            stub: coaching_pb2_grpc.CoachingAsyncStub = coaching_pb2_grpc.CoachingStub(opened)
            claim = coaching_pb2.ClaimDeliveryRequest(
                owner="adapter",
                deliveries=[coaching_pb2.DeliveryKey(organization_id=around.organization, delivery_id=str(uuid4()))],
            )

            async def ask() -> None:
                assert len((await stub.ClaimDelivery(claim, timeout=20)).decisions) == 1

            async with kept_asking(ask, callers=10) as outcomes:
                await outcomes.until(50)
                assert await leaving.stop() == 0
                await outcomes.until(50)
        assert set(outcomes) == {"ok"}
    finally:
        for service in running:
            service.process.kill()
            service.process.wait()


async def test_a_turn_that_is_cut_off_by_a_stop_goes_to_another_at_once(around: Stage, tmp_path: Path) -> None:
    around.llm.pause_seconds = 5
    service = start_service("coaching", around.environment(drain_seconds=0.5, turn_lease_seconds=60), tmp_path)
    try:
        await service.await_ready()
        await around.say("hello there")
        await eventually(lambda: asyncio.sleep(0, bool(around.llm.running)))
        assert await service.stop() == 0
    finally:
        service.process.kill()
        service.process.wait()
    around.llm.pause_seconds = 0
    async with around.coaching():
        await around.answered(seconds=30)  # its lease would have run for a minute


@pytest.mark.guarantee("P1-turns")
async def test_a_database_that_goes_away_while_the_coach_thinks_costs_no_second_thought(around: Stage) -> None:
    around.llm.pause_seconds = 0.3
    name = around.database.name
    async with around.coaching(turn_lease_seconds=60):
        await around.say("hello there")
        await eventually(lambda: asyncio.sleep(0, bool(around.llm.running)))
        await administer(around.database.owner_url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await administer(
            around.database.owner_url,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        await asyncio.sleep(2.5)
        await administer(around.database.owner_url, f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        await around.answered(seconds=45)
        assert len(await around.outbound(2, seconds=2)) == 1
    assert len(around.llm.requests) == 1
    assert len(await around.replies()) == 1
