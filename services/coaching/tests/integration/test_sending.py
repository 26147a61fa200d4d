"""Deliveries between coaching and a sender: claims, reports, and what becomes of those nobody comes back for."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage, eventually


async def planned(around: Stage, sender: str = "anna") -> str:
    """Let a message be answered; return the id of its delivery."""
    await around.say("hello", sender)
    await around.answered(1, sender)
    [row] = await around.rows("SELECT id FROM coaching.deliveries WHERE address = $1", sender)
    return str(row["id"])


def key(around: Stage, delivery_id: str) -> pb.DeliveryKey:
    return pb.DeliveryKey(organization_id=around.organization, delivery_id=delivery_id)


async def claim(around: Stage, coach: Coach, *ids: str) -> list[pb.DeliveryDecision]:
    request = pb.ClaimDeliveryRequest(deliveries=[key(around, delivery_id) for delivery_id in ids], owner="sender-1")
    return list((await coach.ClaimDelivery(request, timeout=5)).decisions)


async def report(around: Stage, coach: Coach, delivery_id: str, token: int, state: int, **more: Any) -> bool:
    item = pb.DeliveryReport(
        organization_id=around.organization, delivery_id=delivery_id, fencing_token=token,
        state=pb.DeliveryState.ValueType(state), **more,
    )  # fmt: skip
    answer = await coach.ReportDelivery(pb.ReportDeliveryRequest(reports=[item]), timeout=5)
    return bool(answer.outcomes[0].applied)


async def state(around: Stage, delivery_id: str) -> tuple[str, str]:
    [row] = await around.rows("SELECT state, reason FROM coaching.deliveries WHERE id = $1", delivery_id)
    return row["state"], row["reason"]


async def test_a_reply_is_claimed_sent_and_done(around: Stage) -> None:
    async with around.coaching() as coach:
        one = await planned(around)
        [sent] = await claim(around, coach, one)
        assert (sent.decision, sent.fencing_token) == (pb.DECISION_SEND, 1)
        [held] = await claim(around, coach, one)
        assert (held.decision, held.reason) == (pb.DECISION_HOLD, "claimed_elsewhere")
        assert held.hold_until.ToDatetime(tzinfo=UTC) > datetime.now(UTC)
        assert not await report(around, coach, one, 7, pb.DELIVERY_STATE_IN_FLIGHT)
        assert await report(around, coach, one, 1, pb.DELIVERY_STATE_IN_FLIGHT)
        assert await report(around, coach, one, 1, pb.DELIVERY_STATE_ACCEPTED, provider_message_id="p1")
        [dropped] = await claim(around, coach, one)
        assert (dropped.decision, dropped.reason) == (pb.DECISION_DROP, "already_sent")
        assert not await report(around, coach, one, 1, pb.DELIVERY_STATE_FAILED)
    assert await state(around, one) == ("accepted", "")
    # The words are not kept twice.
    assert await around.rows("SELECT * FROM coaching.outbox") == []


async def test_claims_and_reports_come_in_lists(around: Stage) -> None:
    async with around.coaching() as coach:
        ids = [await planned(around, sender) for sender in ("anna", "ben", "cem")]
        stranger = str(uuid4())
        decisions = await claim(around, coach, ids[2], stranger, ids[0], ids[1], ids[0])
        words = [(item.delivery_id, item.decision, item.reason) for item in decisions]
        assert words == [
            (ids[2], pb.DECISION_SEND, ""),
            (stranger, pb.DECISION_DROP, "no_such_delivery"),
            (ids[0], pb.DECISION_SEND, ""),
            (ids[1], pb.DECISION_SEND, ""),
            (ids[0], pb.DECISION_DROP, "already_claimed"),
        ]
        states = (pb.DELIVERY_STATE_IN_FLIGHT, pb.DELIVERY_STATE_ACCEPTED)
        reports = [
            pb.DeliveryReport(
                organization_id=around.organization, delivery_id=delivery_id, fencing_token=1, state=reported
            )
            for delivery_id in (*ids, stranger)
            for reported in states
        ]
        answer = await coach.ReportDelivery(pb.ReportDeliveryRequest(reports=reports), timeout=5)
    assert [item.applied for item in answer.outcomes] == [True] * 6 + [False] * 2
    assert {(await state(around, delivery_id))[0] for delivery_id in ids} == {"accepted"}


async def test_what_the_provider_asked_to_wait_for_is_held_and_then_goes_on_after_its_parts(around: Stage) -> None:
    async with around.coaching() as coach:
        one = await planned(around)
        await claim(around, coach, one)
        await report(around, coach, one, 1, pb.DELIVERY_STATE_IN_FLIGHT)
        await report(around, coach, one, 1, pb.DELIVERY_STATE_IN_FLIGHT, parts_accepted=1)
        until = Timestamp()
        until.FromDatetime(datetime.now(UTC) + timedelta(seconds=4))
        assert await report(
            around, coach, one, 1, pb.DELIVERY_STATE_PLANNED, reason="rate_limited", not_before=until, parts_accepted=2
        )
        [held] = await claim(around, coach, one)
        assert (held.decision, held.hold_until) == (pb.DECISION_HOLD, until)
        await asyncio.sleep(4.1)
        [sent] = await claim(around, coach, one)
    assert (sent.decision, sent.fencing_token, sent.parts_accepted) == (pb.DECISION_SEND, 2, 2)


@pytest.mark.guarantee("P2-unknown")
async def test_a_call_whose_sender_died_becomes_unknown_and_is_never_made_again(around: Stage) -> None:
    async with around.coaching(delivery_lease_seconds=3) as coach:
        one, two = await planned(around), await planned(around, "ben")
        await claim(around, coach, one, two)
        for delivery_id in (one, two):
            await report(around, coach, delivery_id, 1, pb.DELIVERY_STATE_IN_FLIGHT)
        await eventually(lambda: _is(around, one, "unknown"))
        [dropped] = await claim(around, coach, one)
        assert (dropped.decision, dropped.reason) == (pb.DECISION_DROP, "unknown")
        assert await state(around, one) == ("unknown", "lease_expired")
        # A sender that comes back late knows what happened.
        assert await report(around, coach, two, 1, pb.DELIVERY_STATE_ACCEPTED, provider_message_id="p2")
    assert (await state(around, two))[0] == "accepted"


@pytest.mark.guarantee("P1-turns")
async def test_a_claim_whose_sender_died_before_the_call_is_claimed_again(around: Stage) -> None:
    async with around.coaching(delivery_lease_seconds=3) as coach:
        one = await planned(around)
        await claim(around, coach, one)
        await asyncio.sleep(3.1)
        [sent] = await claim(around, coach, one)
        assert (sent.decision, sent.fencing_token) == (pb.DECISION_SEND, 2)
        assert not await report(around, coach, one, 1, pb.DELIVERY_STATE_IN_FLIGHT)
        assert await report(around, coach, one, 2, pb.DELIVERY_STATE_IN_FLIGHT)


@pytest.mark.guarantee("P1-turns")
async def test_what_the_stream_lost_is_published_again(around: Stage) -> None:
    async with around.coaching(delivery_patience_seconds=0.5):
        one = await planned(around)
        found = await around.outbound(2, seconds=6)
    # The second copy is another message of the stream only where its duplicate window has passed.
    assert {message.delivery_id for message in found} == {one}
    [row] = await around.rows("SELECT republished FROM coaching.deliveries")
    assert row["republished"] >= 1


async def test_a_person_who_blocked_the_coach_is_noted(around: Stage) -> None:
    async with around.coaching() as coach:
        one = await planned(around)
        await claim(around, coach, one)
        await report(around, coach, one, 1, pb.DELIVERY_STATE_IN_FLIGHT)
        assert await report(
            around, coach, one, 1, pb.DELIVERY_STATE_FAILED, reason="blocked_by_person", recipient_gone=True
        )
    [row] = await around.rows("SELECT gone_at FROM coaching.identities")
    assert row["gone_at"] is not None


@pytest.mark.parametrize(
    ("change", "decision", "reason"),
    [
        ("UPDATE coaching.people SET time_zone = 'Europe/Berlin'", pb.DECISION_SEND, ""),
        ("UPDATE coaching.people SET time_zone = NULL", pb.DECISION_HOLD, "zone_unknown"),
        ("UPDATE coaching.people SET time_zone = 'Mars/Olympus'", pb.DECISION_HOLD, "zone_unknown"),
        ("UPDATE coaching.people SET proactive_stopped_at = now()", pb.DECISION_DROP, "stopped"),
        ("UPDATE coaching.people SET crisis_hold_at = now()", pb.DECISION_DROP, "crisis_hold"),
        ("UPDATE coaching.identities SET gone_at = now()", pb.DECISION_DROP, "recipient_gone"),
    ],
)
async def test_a_proactive_message_is_decided_last(
    around: Stage, change: str, decision: "pb.Decision.ValueType", reason: str
) -> None:
    async with around.coaching() as coach:
        one = await planned(around)
        async with around.database.connect() as owner:
            await owner.execute("UPDATE coaching.deliveries SET kind = 'proactive'")
            await owner.execute(
                "UPDATE coaching.people SET quiet_start = '00:00', quiet_end = '00:00',"
                " last_message_at = now() - interval '1 day'"
            )
            await owner.execute(change)
        [found] = await claim(around, coach, one)
    assert (found.decision, found.reason) == (decision, reason)
    expected = {pb.DECISION_SEND: "claimed", pb.DECISION_HOLD: "planned", pb.DECISION_DROP: "dropped"}
    assert (await state(around, one))[0] == expected[decision]


async def test_wrong_calls_are_refused(around: Stage) -> None:
    async with around.coaching() as coach:
        wrong: list[tuple[Any, Any]] = [
            (coach.ClaimDelivery, pb.ClaimDeliveryRequest(deliveries=[pb.DeliveryKey()])),
            (coach.ClaimDelivery, pb.ClaimDeliveryRequest(deliveries=[key(around, str(uuid4()))] * 257)),
            (coach.ReportDelivery, pb.ReportDeliveryRequest(reports=[pb.DeliveryReport(delivery_id="x")])),
            (coach.ListMessages, pb.ListMessagesRequest(organization_id=around.organization)),
            (coach.ListPeople, pb.ListPeopleRequest(organization_id="nobody")),
        ]
        for call, request in wrong:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(request, timeout=5)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def _is(around: Stage, delivery_id: str, wanted: str) -> bool:
    return (await state(around, delivery_id))[0] == wanted
