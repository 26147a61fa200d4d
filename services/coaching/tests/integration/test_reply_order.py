"""Replies of one conversation leave in order, also where several senders share the work."""

import pytest

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage

pytestmark = pytest.mark.guarantee("P3-order-replicas")


async def two_replies(around: Stage) -> tuple[str, str]:
    """Let two messages of a person be answered, one after the other; return both deliveries."""
    for number in (1, 2):
        await around.say(f"message {number}")
        await around.answered(number)
    rows = await around.rows("SELECT id FROM coaching.deliveries ORDER BY created_at")
    return str(rows[0]["id"]), str(rows[1]["id"])


async def claim(around: Stage, coach: Coach, sender: str, *ids: str) -> list[str]:
    """Return "send" or the reason, for each delivery."""
    keys = [pb.DeliveryKey(organization_id=around.organization, delivery_id=delivery_id) for delivery_id in ids]
    answer = await coach.ClaimDelivery(pb.ClaimDeliveryRequest(deliveries=keys, owner=sender), timeout=10)
    return ["send" if item.decision == pb.DECISION_SEND else item.reason for item in answer.decisions]


async def report(around: Stage, coach: Coach, delivery_id: str, *states: "pb.DeliveryState.ValueType") -> None:
    reports = [
        pb.DeliveryReport(organization_id=around.organization, delivery_id=delivery_id, fencing_token=1, state=state)
        for state in states
    ]
    answer = await coach.ReportDelivery(pb.ReportDeliveryRequest(reports=reports), timeout=10)
    assert all(item.applied for item in answer.outcomes)


async def test_a_later_reply_waits_for_the_one_that_another_sender_has(around: Stage) -> None:
    async with around.coaching() as coach:
        first, second = await two_replies(around)
        assert await claim(around, coach, "two", second) == ["after_earlier"]
        assert await claim(around, coach, "one", first) == ["send"]
        await report(around, coach, first, pb.DELIVERY_STATE_IN_FLIGHT)
        assert await claim(around, coach, "two", second) == ["after_earlier"]
        await report(around, coach, first, pb.DELIVERY_STATE_ACCEPTED)
        assert await claim(around, coach, "two", second) == ["send"]


async def test_one_sender_takes_both_and_keeps_their_order_itself(around: Stage) -> None:
    async with around.coaching() as coach:
        first, second = await two_replies(around)
        assert await claim(around, coach, "one", first) == ["send"]
        assert await claim(around, coach, "one", second) == ["send"]


async def test_both_in_one_call_are_sent(around: Stage) -> None:
    async with around.coaching() as coach:
        first, second = await two_replies(around)
        assert await claim(around, coach, "one", first, second) == ["send", "send"]


async def test_one_that_will_never_arrive_holds_up_nobody(around: Stage) -> None:
    async with around.coaching() as coach:
        first, second = await two_replies(around)
        await claim(around, coach, "one", first)
        await report(around, coach, first, pb.DELIVERY_STATE_IN_FLIGHT, pb.DELIVERY_STATE_FAILED)
        assert await claim(around, coach, "two", second) == ["send"]


async def test_conversations_do_not_wait_for_each_other(around: Stage) -> None:
    async with around.coaching() as coach:
        await two_replies(around)
        await around.say("hello", "ben")
        await around.answered(1, "ben")
        [row] = await around.rows("SELECT id FROM coaching.deliveries WHERE address = 'ben'")
        assert await claim(around, coach, "two", str(row["id"])) == ["send"]
