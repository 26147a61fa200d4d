"""Each event of a provider counts once, whatever is delivered how often and in whatever shape."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from support.coaching import Stage, eventually
from support.database import SECOND_ORGANIZATION
from support.streams import reset_streams


@pytest.mark.guarantee("P2-duplicates")
async def test_an_event_that_comes_five_times_at_once_and_again_later_is_answered_once(around: Stage) -> None:
    await reset_streams(around.nats_url, window_seconds=1)
    event = around.event("anna", "update-1")
    event.text.text = "hello there"
    async with around.coaching(), around.coaching():
        await asyncio.gather(*(around.publish(event) for _ in range(5)))
        await asyncio.gather(*(around.publish(event, "web:default:update-1") for _ in range(5)))
        await around.answered()
        await asyncio.sleep(1.2)
        await around.publish(event, "web:default:update-1")
        await eventually(lambda: _all_acknowledged(around))
        await asyncio.sleep(1)
        assert len(await around.replies()) == 1
    assert len(await around.outbound(2, seconds=1)) == 1
    assert [len(await around.rows(f"SELECT * FROM coaching.{table}")) for table in ("inbox", "turns")] == [1, 1]


async def test_what_cannot_be_read_or_stored_is_put_aside_and_spoils_nothing(around: Stage) -> None:
    stranger = around.event("anna", "e1")
    stranger.organization_id = str(uuid4())
    stranger.text.text = "of nobody"
    empty = around.event("anna", "e2")
    nameless = around.event("", "e3")
    nameless.text.text = "from nobody"
    jetstream = around.nc.jetstream()
    async with around.coaching():
        await jetstream.publish("inbound.web.default", b"\xff\xff\xff not protobuf")
        for event in (stranger, empty, nameless):
            await around.publish(event)
        await around.say("a good one")
        await around.answered()
        await eventually(lambda: _all_acknowledged(around))
    assert (await jetstream.stream_info("DEADLETTER")).state.messages == 4
    assert len(await around.rows("SELECT * FROM coaching.messages WHERE role = 'person'")) == 1


async def test_a_text_that_a_database_cannot_hold_is_mended(around: Stage) -> None:
    async with around.coaching():
        await around.say("nul\0 and \ud83d\ude42".encode("utf-16", "surrogatepass").decode("utf-16"))
        await around.say("x" * 20_000)
        await around.answered()
    found = await around.rows("SELECT text FROM coaching.messages WHERE role = 'person' ORDER BY position")
    assert [len(row["text"]) for row in found] == [len("nul and 🙂"), 16_000]


async def test_receipts_move_a_delivery_forward_in_any_order(around: Stage) -> None:
    async with around.coaching():
        await around.say("hello")
        await around.answered()
        async with around.database.connect() as owner:
            await owner.execute("UPDATE coaching.deliveries SET state = 'accepted', provider_message_id = 'p1'")
        for number, state in enumerate(("read", "delivered")):
            event = around.event("anna", f"r{number}")
            event.receipt.provider_message_id, event.receipt.state = "p1", state
            await around.publish(event)
        unknown = around.event("anna", "r9")
        unknown.receipt.provider_message_id, unknown.receipt.state = "of-somebody-else", "read"
        unknown.received_at.FromDatetime(datetime.now(UTC) - timedelta(minutes=5))
        await around.publish(unknown)
        await eventually(lambda: _all_acknowledged(around))
    assert [row["state"] for row in await around.rows("SELECT state FROM coaching.deliveries")] == ["read"]


async def test_a_receipt_that_overtakes_the_senders_report_is_not_lost(around: Stage) -> None:
    async with around.coaching():
        await around.say("hello")
        await around.answered()
        event = around.event("anna", "r1")
        event.receipt.provider_message_id, event.receipt.state = "p1", "delivered"
        await around.publish(event)
        await asyncio.sleep(0.3)
        async with around.database.connect() as owner:
            await owner.execute("UPDATE coaching.deliveries SET state = 'accepted', provider_message_id = 'p1'")
        await eventually(lambda: _state(around, "delivered"))


async def test_who_leaves_the_channel_is_not_written_to_until_they_write_again(around: Stage) -> None:
    async with around.coaching():
        await around.say("hello")
        await around.answered(1)
        event = around.event("anna", "left")
        event.opt_out.reason = "blocked"
        await around.publish(event)
        await eventually(lambda: _gone(around, True))
        await around.say("back again")
        await around.answered(2)
        assert await _gone(around, False)


async def test_an_opt_out_older_than_the_last_message_changes_nothing(around: Stage) -> None:
    async with around.coaching():
        await around.say("hello")
        await around.answered(1)
        event = around.event("anna", "left")
        event.received_at.FromDatetime(datetime.now(UTC) - timedelta(minutes=1))
        event.opt_out.reason = "blocked"
        await around.publish(event)
        await eventually(lambda: _all_acknowledged(around))
        assert await _gone(around, False)


@pytest.mark.guarantee("P5-tenants")
async def test_two_organisations_on_one_channel_never_see_each_other(around: Stage) -> None:
    await around.database.add_organization()
    async with around.coaching():
        await around.say("of the first")
        other = around.event("anna", "e-other")
        other.organization_id = SECOND_ORGANIZATION
        other.text.text = "of the second"
        await around.publish(other)
        await around.answered(2)
    for organization, text in ((around.organization, "of the first"), (SECOND_ORGANIZATION, "of the second")):
        async with around.database.connect("coaching_service", organization) as service:
            found = await service.fetch("SELECT text FROM coaching.messages WHERE role = 'person'")
            assert [row["text"] for row in found] == [text]
            for table in ("people", "identities", "conversations", "inbox", "turns", "deliveries", "outbox"):
                rows = await service.fetch(f"SELECT organization_id FROM coaching.{table}")
                assert {str(row["organization_id"]) for row in rows} == {organization}, table
    async with around.database.connect("coaching_service") as nobody:
        assert await nobody.fetch("SELECT * FROM coaching.messages") == []
        # The claim function tells ids of both, and nothing else.
        assert await nobody.fetch("SELECT * FROM coaching.claim('conversation', 'test', 30, 10)") == []


async def _all_acknowledged(around: Stage) -> bool:
    info = await around.nc.jetstream().consumer_info("INBOUND", "coaching-inbound")
    return bool(info.num_pending == 0 and info.num_ack_pending == 0)


async def _state(around: Stage, state: str) -> bool:
    return [row["state"] for row in await around.rows("SELECT state FROM coaching.deliveries")] == [state]


async def _gone(around: Stage, gone: bool) -> bool:
    [row] = await around.rows("SELECT gone_at FROM coaching.identities")
    return (row["gone_at"] is not None) is gone


async def test_stop_and_start_count_when_they_are_taken_in_not_when_they_are_answered(around: Stage) -> None:
    around.llm.pause_seconds = 1.0
    async with around.coaching(turn_settle_seconds=5, turn_settle_max_seconds=5):
        await around.say("  STOP. ")
        await eventually(lambda: _stopped(around, True))
        await around.say("Start")
        await eventually(lambda: _stopped(around, False))
        assert await around.replies() == []
        await around.answered()
        # The answer to both, given later, does not bring back what was the case when they were written.
        assert await _stopped(around, False)


async def test_of_several_orders_in_one_batch_the_last_counts_on_whatever_channel(around: Stage) -> None:
    events = [around.event("anna", f"e{number}") for number in range(2)]
    written = datetime.now(UTC)
    for event, text, seconds in zip(events, ("stop", "start"), (1, 0), strict=True):
        event.text.text = text
        event.sent_at.FromDatetime(written + timedelta(seconds=seconds))
    await asyncio.gather(*(around.publish(event) for event in events))
    async with around.coaching(turn_settle_seconds=5, turn_settle_max_seconds=5):
        await eventually(lambda: _stopped(around, True))


async def _stopped(around: Stage, stopped: bool) -> bool:
    rows = await around.rows("SELECT proactive_stopped_at FROM coaching.people")
    return [(row["proactive_stopped_at"] is not None) for row in rows] == [stopped]
