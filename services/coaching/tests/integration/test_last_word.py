"""Just before a proactive message is sent it is decided about again, and taken back where it may not leave any more."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage, eventually
from support.speaking import Person, add_check_in, decisions, nudges, proactive

QUICK: Mapping[str, Any] = {"dispatch_seconds": 0.1}
pytestmark = pytest.mark.guarantee("P4-decide-last")


async def dispatched(around: Stage, sender: str = "anna") -> tuple[Person, str]:
    """Let a check-in of a new person be dispatched; return the person and the delivery's id."""
    person = await Person.known(around, sender)
    await add_check_in(around, person)
    [message] = await proactive(around, 1)
    return person, message.delivery_id


async def claim(around: Stage, coach: Coach, *ids: str, sender: str = "sender-1") -> list[tuple[int, str]]:
    keys = [pb.DeliveryKey(organization_id=around.organization, delivery_id=delivery_id) for delivery_id in ids]
    answer = await coach.ClaimDelivery(pb.ClaimDeliveryRequest(deliveries=keys, owner=sender), timeout=10)
    return [(item.decision, item.reason) for item in answer.decisions]


async def execute(around: Stage, *statements: str) -> None:
    async with around.database.connect() as owner:
        for statement in statements:
            await owner.execute(statement)


async def planned_words(around: Stage) -> int:
    """Return how many rows of the proactive message are left."""
    [row] = await around.rows(
        "SELECT (SELECT count(*) FROM coaching.deliveries WHERE kind = 'proactive')"
        " + (SELECT count(*) FROM coaching.messages WHERE role = 'coach' AND turn_id IS NULL)"
        " + (SELECT count(*) FROM coaching.outbox WHERE subject LIKE 'outbound.proactive.%') AS left"
    )
    return int(row["left"])


async def test_what_may_leave_is_sent_once(around: Stage) -> None:
    async with around.coaching(**QUICK) as coach:
        _, delivery_id = await dispatched(around)
        assert await claim(around, coach, delivery_id) == [(pb.DECISION_SEND, "")]
        assert await claim(around, coach, delivery_id) == [(pb.DECISION_HOLD, "claimed_elsewhere")]
    assert await decisions(around) == [("schedule", "send", ""), ("claim", "send", "")]


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        ("UPDATE coaching.people SET proactive_stopped_at = now()", "dropped", "stopped"),
        ("UPDATE coaching.people SET crisis_hold_at = now()", "dropped", "crisis_hold"),
        ("UPDATE coaching.people SET notice_given_at = NULL", "dropped", "no_consent"),
        ("UPDATE coaching.identities SET gone_at = now()", "dropped", "recipient_gone"),
        ("UPDATE coaching.people SET time_zone = 'Mars/Olympus'", "held", "zone_unknown"),
        ("UPDATE coaching.people SET snoozed_until = now() + interval '1 hour'", "held", "snoozed"),
        ("UPDATE coaching.people SET last_message_at = now()", "held", "live_conversation"),
        ("UPDATE coaching.conversations SET pending_since = now()", "held", "live_conversation"),
        ("UPDATE coaching.check_ins SET paused_at = now()", "dropped", "check_in_paused"),
        ("DELETE FROM coaching.check_ins", "dropped", "check_in_removed"),
    ],
)
async def test_what_has_changed_since_takes_it_back(around: Stage, change: str, state: str, reason: str) -> None:
    async with around.coaching(**QUICK, turn_settle_seconds=30, turn_settle_max_seconds=60) as coach:
        async with around.coaching():
            _, delivery_id = await dispatched(around)
        await execute(around, change)
        assert await claim(around, coach, delivery_id) == [(pb.DECISION_DROP, "withdrawn")]
        assert await claim(around, coach, delivery_id) == [(pb.DECISION_DROP, "no_such_delivery")]
        # The conversation shows what was said, not what was planned.
        assert await planned_words(around) == 0
        [nudge] = await nudges(around)
    assert (nudge["state"], nudge["reason"]) == (state, reason)
    assert (nudge["look_at"] is not None) == (state == "held")
    verdict = "hold" if state == "held" else "drop"
    assert (await decisions(around))[:2] == [("schedule", "send", ""), ("claim", verdict, reason)]


async def test_quiet_hours_that_have_begun_hold_it_until_their_end(around: Stage) -> None:
    async with around.coaching(**QUICK) as coach:
        person, delivery_id = await dispatched(around)
        now = datetime.now(UTC)
        await execute(around, "UPDATE coaching.people SET time_zone = 'UTC'")
        await person.be_quiet(around, now - timedelta(minutes=1), now + timedelta(hours=2))
        assert await claim(around, coach, delivery_id) == [(pb.DECISION_DROP, "withdrawn")]
        [nudge] = await nudges(around)
    assert nudge["reason"] == "quiet_hours"
    assert abs(nudge["look_at"] - now - timedelta(hours=2)) < timedelta(minutes=2)


async def test_one_that_was_taken_back_comes_later_with_a_delivery_of_its_own(around: Stage) -> None:
    async with around.coaching(**QUICK) as coach:
        _, delivery_id = await dispatched(around)
        await execute(around, "UPDATE coaching.people SET last_message_at = now()")
        await claim(around, coach, delivery_id)
        await execute(
            around,
            "UPDATE coaching.people SET last_message_at = now() - interval '1 hour'",
            "UPDATE coaching.nudges SET look_at = now()",
        )
        [again] = await proactive(around, 1)
        assert again.delivery_id != delivery_id
        assert await claim(around, coach, again.delivery_id) == [(pb.DECISION_SEND, "")]
    assert [row["state"] for row in await nudges(around)] == ["dispatched"]


async def test_stop_between_dispatch_and_claim_counts_before_it_is_answered(around: Stage) -> None:
    async with around.coaching(**QUICK) as coach:
        _, delivery_id = await dispatched(around)
        around.llm.pause_seconds = 5
        await around.say("Stop!", event_id="stop")
        await eventually(lambda: _stopped(around))
        assert await claim(around, coach, delivery_id) == [(pb.DECISION_DROP, "withdrawn")]
    assert (await nudges(around))[0]["reason"] == "stopped"


async def test_of_two_that_ask_at_once_the_cap_lets_one_go(around: Stage) -> None:
    async with around.coaching(**QUICK) as coach, around.coaching(proactive_per_day=1, dispatch_seconds=60) as strict:
        _, first = await dispatched(around)
        person = Person("anna", (await around.rows("SELECT id FROM coaching.people"))[0]["id"], around.organization)
        await add_check_in(around, person)
        [second] = await proactive(around, 1)
        answers = await claim(around, strict, first, second.delivery_id)
        assert answers == [(pb.DECISION_SEND, ""), (pb.DECISION_DROP, "withdrawn")]
        assert await claim(around, coach, first) == [(pb.DECISION_HOLD, "claimed_elsewhere")]
    assert sorted(row["reason"] for row in await nudges(around)) == ["", "day_cap"]


async def test_whoever_was_merged_into_one_that_is_removed_speaks_alone(around: Stage) -> None:
    async with around.coaching():
        person = await Person.known(around, "anna")
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    removed = await add_check_in(around, person, due)
    await add_check_in(around, person, due + timedelta(seconds=1))
    async with around.coaching(**QUICK) as coach:
        [message] = await proactive(around, 1)
        await execute(around, f"DELETE FROM coaching.check_ins WHERE id = '{removed}'")
        assert await claim(around, coach, message.delivery_id) == [(pb.DECISION_DROP, "withdrawn")]
        [other] = await proactive(around, 1)
        assert await claim(around, coach, other.delivery_id) == [(pb.DECISION_SEND, "")]
    assert [row["state"] for row in await nudges(around)] == ["dropped", "dispatched"]


async def _stopped(around: Stage) -> bool:
    return bool(await around.rows("SELECT FROM coaching.people WHERE proactive_stopped_at IS NOT NULL"))
