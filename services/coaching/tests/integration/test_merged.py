"""Check-ins that were merged into one message: what becomes of them when that one does not leave after all."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage, eventually
from support.speaking import Person, add_check_in, nudges, proactive

QUICK: Mapping[str, Any] = {"dispatch_seconds": 0.1}


async def claim(around: Stage, coach: Coach, delivery_id: str) -> tuple[int, str]:
    key = pb.DeliveryKey(organization_id=around.organization, delivery_id=delivery_id)
    answer = await coach.ClaimDelivery(pb.ClaimDeliveryRequest(deliveries=[key], owner="sender-1"), timeout=10)
    return answer.decisions[0].decision, answer.decisions[0].reason


async def execute(around: Stage, statement: str) -> None:
    async with around.database.connect() as owner:
        await owner.execute(statement)


async def merged(around: Stage) -> None:
    """Let one that is left out when late, and one that is caught up once, fall due together."""
    async with around.coaching(dispatch_seconds=60):
        person = await Person.known(around, "anna")
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    await add_check_in(around, person, due, catch_up="skip")
    await add_check_in(around, person, due + timedelta(seconds=1), catch_up="once")


async def test_one_that_is_caught_up_leaves_where_the_one_that_spoke_for_it_is_left_out(
    around: Stage,
) -> None:
    await merged(around)
    async with around.coaching(**QUICK) as coach:
        [message] = await proactive(around, 1)
        # The adapter was away for an hour.
        await execute(around, "UPDATE coaching.nudges SET due_at = due_at - interval '1 hour'")
        assert await claim(around, coach, message.delivery_id) == (pb.DECISION_DROP, "withdrawn")
        [other] = await proactive(around, 1)
        assert await claim(around, coach, other.delivery_id) == (pb.DECISION_SEND, "")
    assert [(row["state"], row["reason"]) for row in await nudges(around)] == [
        ("dropped", "missed"),
        ("dispatched", ""),
    ]


async def test_one_that_is_held_lets_the_others_be_decided_about_too(around: Stage) -> None:
    await merged(around)
    async with around.coaching(**QUICK) as coach:
        [message] = await proactive(around, 1)
        await execute(around, "UPDATE coaching.people SET last_message_at = now()")
        assert await claim(around, coach, message.delivery_id) == (pb.DECISION_DROP, "withdrawn")
        found = await nudges(around)
        assert [row["state"] for row in found] == ["held", "held"]
        assert found[0]["look_at"] == found[1]["look_at"]
        # What it was held for ends, and its check-in is removed meanwhile.
        await execute(around, "DELETE FROM coaching.check_ins WHERE catch_up = 'skip'")
        await execute(around, "UPDATE coaching.people SET last_message_at = now() - interval '1 day'")
        await execute(around, "UPDATE coaching.nudges SET look_at = now()")
        [other] = await proactive(around, 1)
        assert await claim(around, coach, other.delivery_id) == (pb.DECISION_SEND, "")
    states = [(row["state"], row["reason"]) for row in await nudges(around)]
    assert states == [("dropped", "check_in_removed"), ("dispatched", "")]


async def test_after_stop_none_of_them_leaves(around: Stage) -> None:
    await merged(around)
    async with around.coaching(**QUICK) as coach:
        [message] = await proactive(around, 1)
        await execute(around, "UPDATE coaching.people SET proactive_stopped_at = now()")
        assert await claim(around, coach, message.delivery_id) == (pb.DECISION_DROP, "withdrawn")
        await eventually(lambda: _none_held(around))
        assert await proactive(around, 1, seconds=1) == []
    assert [(row["state"], row["reason"]) for row in await nudges(around)] == [("dropped", "stopped")] * 2


async def _none_held(around: Stage) -> bool:
    return all(row["state"] != "held" for row in await nudges(around))
