"""Check-ins behave the same in memory and over gRPC."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import grpc
import pytest

from fakes.gateway import FakeConversations
from fakes.gateway_check_ins import DEFAULT_QUIET_HOURS, MOST, NOT_A_ZONE, TOO_MANY, FakeCheckIns
from fakes.gateway_peers import running_peers
from gateway.adapters.check_ins_client import CheckInsClient, asked
from gateway.app.ports import CheckIns
from gateway.domain.check_ins import NewCheckIn, QuietHours, QuietHoursSet, Schedule
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from kit import grpc_client
from kit.ids import new_id

GUEST = GuestId("0195574e-0000-7000-8000-000000000001")
NEWCOMER = GuestId("0195574e-0000-7000-8000-000000000002")
SECONDS = 30.0


@dataclass(slots=True)
class Port:
    """The port under test, and the fake behind it; GUEST has written."""

    check_ins: CheckIns
    kept: FakeCheckIns


@pytest.fixture(params=["memory", "grpc"])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[Port]:
    if request.param == "memory":
        conversations = FakeConversations()
        conversations.add(GUEST, "Hello")
        fake = FakeCheckIns(conversations)
        yield Port(fake, fake)
        return
    async with running_peers() as peers:
        peers.conversations.add(GUEST, "Hello")
        channel = grpc_client.channel(peers.address)
        yield Port(CheckInsClient(channel, "00000000-0000-7000-8000-000000000001"), peers.check_ins)
        await channel.close(None)


def new(zone: str = "Europe/Berlin") -> NewCheckIn:
    return NewCheckIn(new_id(), "FREQ=WEEKLY;BYDAY=MO", "08:30", zone)


async def test_what_was_added_is_listed_as_it_was_told(port: Port) -> None:
    added = [(await port.check_ins.add(GUEST, new(), SECONDS)).check_in for _ in range(2)]
    assert added[0].next_due_at
    schedule = await port.check_ins.schedule(GUEST, SECONDS)
    assert schedule == Schedule(True, tuple(added), "Europe/Berlin", DEFAULT_QUIET_HOURS)


async def test_the_same_request_adds_once(port: Port) -> None:
    request = new()
    first, again = [await port.check_ins.add(GUEST, request, SECONDS) for _ in range(2)]
    assert first.check_in == again.check_in


async def test_pausing_takes_the_next_time_away_and_resuming_gives_it_back(port: Port) -> None:
    added = (await port.check_ins.add(GUEST, new(), SECONDS)).check_in
    paused = await port.check_ins.pause(GUEST, added.check_in_id, True, SECONDS)
    assert paused == replace(added, paused=True, next_due_at=None)
    assert await port.check_ins.pause(GUEST, added.check_in_id, False, SECONDS) == added


async def test_what_is_removed_is_gone(port: Port) -> None:
    added = (await port.check_ins.add(GUEST, new(), SECONDS)).check_in
    await port.check_ins.remove(GUEST, added.check_in_id, SECONDS)
    assert (await port.check_ins.schedule(GUEST, SECONDS)).check_ins == ()
    with pytest.raises(Refused) as refused:
        await port.check_ins.remove(GUEST, added.check_in_id, SECONDS)
    assert refused.value.reason is Reason.NOT_FOUND


async def test_a_new_zone_takes_the_others_along(port: Port) -> None:
    await port.check_ins.add(GUEST, new(), SECONDS)
    assert (await port.check_ins.add(GUEST, new("Asia/Tokyo"), SECONDS)).moved == 1
    held = await port.check_ins.set_quiet_hours(GUEST, QuietHours("23:00", "07:00"), "Europe/Paris", SECONDS)
    assert held == QuietHoursSet(QuietHours("23:00", "07:00"), "Europe/Paris", 2)
    schedule = await port.check_ins.schedule(GUEST, SECONDS)
    assert (schedule.time_zone, schedule.quiet_hours) == ("Europe/Paris", QuietHours("23:00", "07:00"))


async def test_who_has_not_written_has_nothing_and_gets_nothing(port: Port) -> None:
    assert await port.check_ins.schedule(NEWCOMER, SECONDS) == Schedule(known=False)
    for call in (
        port.check_ins.add(NEWCOMER, new(), SECONDS),
        port.check_ins.set_quiet_hours(NEWCOMER, DEFAULT_QUIET_HOURS, "UTC", SECONDS),
    ):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.reason is Reason.NOT_KNOWN_YET


async def test_a_refusal_says_what_to_correct(port: Port) -> None:
    for call in (
        port.check_ins.add(GUEST, new("Mars/Olympus"), SECONDS),
        port.check_ins.set_quiet_hours(GUEST, DEFAULT_QUIET_HOURS, "Mars/Olympus", SECONDS),
    ):
        with pytest.raises(Refused) as refused:
            await call
        assert refused.value.reason is Reason.NOT_POSSIBLE
        assert (refused.value.advice, refused.value.field) == (NOT_A_ZONE, "time_zone")
        assert "Mars" not in str(refused.value)


@pytest.mark.parametrize(
    ("sentence", "field", "advice"),
    [
        (
            'time_zone: there is no time zone "X". Did you mean Y?',
            "time_zone",
            'There is no time zone "X". Did you mean Y?',
        ),
        ("local_time is missing: write HH:MM.", "local_time", "local_time is missing: write HH:MM."),
        ("quiet_hours.start: no time of day.", "start", "No time of day."),
        ("rule: give a date in the future.", "rule", "Give a date in the future."),
        ("There is nothing to set.", "", "There is nothing to set."),
        ("", "", ""),
    ],
)
async def test_the_field_is_read_from_coachings_sentence(sentence: str, field: str, advice: str) -> None:
    async def refused() -> None:
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.INVALID_ARGUMENT, nothing, nothing, sentence, None)

    with pytest.raises(Refused) as found:
        await asked(refused(), Reason.NOT_FOUND)
    assert (found.value.reason, found.value.field, found.value.advice) == (Reason.NOT_POSSIBLE, field, advice)


async def test_there_is_an_end_to_adding(port: Port) -> None:
    for _ in range(MOST):
        await port.check_ins.add(GUEST, new(), SECONDS)
    with pytest.raises(Refused) as refused:
        await port.check_ins.add(GUEST, new(), SECONDS)
    assert (refused.value.reason, refused.value.advice) == (Reason.TOO_MANY, TOO_MANY)


async def test_failures_are_refusals_and_nobody_waits_longer_than_the_deadline(port: Port) -> None:
    port.kept.broken = Reason.UNAVAILABLE
    with pytest.raises(Refused) as refused:
        await port.check_ins.schedule(GUEST, SECONDS)
    assert (refused.value.reason, refused.value.retry_after) == (Reason.UNAVAILABLE, 5)
    port.kept.broken, port.kept.seconds = None, 600.0
    with pytest.raises(Refused) as late:
        await asyncio.wait_for(port.check_ins.schedule(GUEST, 0.1), SECONDS)
    assert late.value.reason is Reason.TIMED_OUT
