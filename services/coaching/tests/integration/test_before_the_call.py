"""Between a claim and its call a message may wait for its turn at the sender: what has changed by then still counts."""

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage
from support.speaking import Person, add_check_in, decisions, nudges, proactive

QUICK: Mapping[str, Any] = {"dispatch_seconds": 0.1}
pytestmark = pytest.mark.guarantee("P4-decide-last")


async def claimed(around: Stage, coach: Coach) -> tuple[str, int]:
    """Let a check-in of a new person be dispatched and claimed; return the delivery's id and the claim's token."""
    await add_check_in(around, await Person.known(around, "anna"))
    [message] = await proactive(around, 1)
    [found] = (await ask(around, coach, message.delivery_id)).decisions
    assert found.decision == pb.DECISION_SEND
    return message.delivery_id, found.fencing_token


async def ask(around: Stage, coach: Coach, *ids: str) -> pb.ClaimDeliveryResponse:
    keys = [pb.DeliveryKey(organization_id=around.organization, delivery_id=delivery_id) for delivery_id in ids]
    answer: pb.ClaimDeliveryResponse = await coach.ClaimDelivery(
        pb.ClaimDeliveryRequest(deliveries=keys, owner="sender-1"), timeout=10
    )
    return answer


async def begin(around: Stage, coach: Coach, *claims: tuple[str, int]) -> list[bool]:
    """Say of claimed deliveries that their calls begin now; return which of them may."""
    reports = [
        pb.DeliveryReport(
            organization_id=around.organization, delivery_id=delivery_id, fencing_token=token,
            state=pb.DELIVERY_STATE_IN_FLIGHT,
        )
        for delivery_id, token in claims
    ]  # fmt: skip
    answer = await coach.ReportDelivery(pb.ReportDeliveryRequest(reports=reports), timeout=10)
    return [outcome.applied for outcome in answer.outcomes]


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        ("UPDATE coaching.people SET proactive_stopped_at = now()", "dropped", "stopped"),
        ("UPDATE coaching.people SET crisis_hold_at = now()", "dropped", "crisis_hold"),
        ("UPDATE coaching.people SET last_message_at = now()", "held", "live_conversation"),
        ("UPDATE coaching.people SET snoozed_until = now() + interval '1 hour'", "held", "snoozed"),
        ("DELETE FROM coaching.check_ins", "dropped", "check_in_removed"),
    ],
)
async def test_a_call_does_not_begin_after_what_forbids_it(around: Stage, change: str, state: str, reason: str) -> None:
    async with around.coaching(**QUICK) as coach:
        one = await claimed(around, coach)
        async with around.database.connect() as owner:
            await owner.execute(change)
        assert await begin(around, coach, one) == [False]
        [answer] = (await ask(around, coach, one[0])).decisions
        assert (answer.decision, answer.reason) == (pb.DECISION_DROP, "no_such_delivery")
    [nudge] = await nudges(around)
    assert (nudge["state"], nudge["reason"]) == (state, reason)
    assert (await decisions(around))[-1] == ("claim", "hold" if state == "held" else "drop", reason)


async def test_what_may_still_leave_begins_and_is_not_told_of_twice(around: Stage) -> None:
    async with around.coaching(**QUICK) as coach:
        one = await claimed(around, coach)
        assert await begin(around, coach, one) == [True]
    assert await decisions(around) == [("schedule", "send", ""), ("claim", "send", "")]


async def test_two_that_the_cap_lets_go_both_begin(around: Stage) -> None:
    async with around.coaching(**QUICK, proactive_per_day=2) as coach:
        person = await Person.known(around, "anna")
        ids = []
        for _ in range(2):
            await add_check_in(around, person)
            ids += [message.delivery_id for message in await proactive(around, 1)]
        found = (await ask(around, coach, *ids)).decisions
        assert [item.decision for item in found] == [pb.DECISION_SEND] * 2
        claims = [(item.delivery_id, item.fencing_token) for item in found]
        assert await begin(around, coach, *claims) == [True, True]
