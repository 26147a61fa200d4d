"""Each delivery is claimed, said to be in flight, sent, and reported; nothing is sent twice on a guess."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from channel_adapter.app.channel import Connection, by_endpoint
from channel_adapter.app.pace import Rests, Turns, Workers
from channel_adapter.app.send import (
    ACCOUNT_GIVEN_UP,
    ACCOUNT_MISSING_SECONDS,
    COACHING_AWAY_SECONDS,
    Pace,
    SendDeliveries,
)
from channel_adapter.channels.telegram.handler import ABILITIES, TelegramReceiver
from channel_adapter.channels.web.handler import ABILITIES as WEB
from channel_adapter.domain.delivery import (
    VERDICTS,
    Again,
    Done,
    Drop,
    Hold,
    Lane,
    Outbound,
    Problem,
    ProviderError,
    Settlement,
    State,
)
from fakes.channel_ports import NOON, ORGANIZATION, MemoryDeliveries, MemorySender, clock, outbound

LIMIT = 20


class Desk:
    """The sending side, with coaching and the provider in memory."""

    def __init__(self, workers: int = 4) -> None:
        self.deliveries = MemoryDeliveries()
        self.telegram = MemorySender()
        self.web = MemorySender()
        self.clock = clock()
        self.stopping = asyncio.Event()
        receiver = TelegramReceiver(None)
        abilities = replace(ABILITIES, text_limit=LIMIT)
        connections = by_endpoint(
            [
                Connection("telegram", "1000", ORGANIZATION, abilities, receiver, self.telegram),
                Connection("telegram", "2000", ORGANIZATION, abilities, receiver, self.telegram),
                Connection("web", "default", ORGANIZATION, WEB, receiver, self.web),
            ]
        )
        pace = Pace(Turns(), Workers(workers), Rests(self.clock))
        self.sending = SendDeliveries(connections, self.deliveries, pace, self.clock, self.stopping)

    async def send(self, *messages: Outbound) -> list[Settlement]:
        decisions = await self.sending.claim(messages)
        return await asyncio.gather(*(self.sending.settle(*pair) for pair in zip(messages, decisions, strict=True)))

    def states(self, message: Outbound) -> list[State]:
        return [report.state for report in self.deliveries.of(message).history]


async def test_a_message_is_in_flight_before_the_provider_is_called() -> None:
    desk = Desk()
    seen = []

    async def look() -> None:
        seen.append(desk.deliveries.in_flight)

    desk.telegram.before = look
    assert await desk.send(outbound()) == [Done()]
    assert seen == [1]
    assert desk.states(outbound()) == [State.IN_FLIGHT, State.ACCEPTED]
    assert desk.telegram.sent == [("7", "Answer 1.")]


async def test_a_long_text_goes_in_parts_that_coaching_hears_about() -> None:
    desk = Desk()
    message = outbound(text="First sentence. Second sentence. Third.")
    await desk.send(message)
    assert desk.telegram.texts("7") == ["First sentence.", "Second sentence.", "Third."]
    reports = desk.deliveries.of(message).history
    assert [report.parts_accepted for report in reports] == [0, 1, 2, 3]
    assert reports[-1].provider_message_id == "3"


async def test_sending_goes_on_after_the_parts_that_were_accepted() -> None:
    desk = Desk()
    message = outbound(text="First sentence. Second sentence. Third.")
    desk.deliveries.of(message).parts_accepted = 2
    await desk.send(message)
    assert desk.telegram.texts("7") == ["Third."]


async def test_a_text_whose_parts_were_all_accepted_is_not_sent_again() -> None:
    desk = Desk()
    desk.deliveries.of(outbound()).parts_accepted = 3
    assert await desk.send(outbound()) == [Done()]
    assert desk.states(outbound()) == [State.IN_FLIGHT, State.ACCEPTED]
    assert not desk.telegram.sent


async def test_a_claim_that_was_lost_sends_nothing() -> None:
    desk = Desk()
    decisions = await desk.sending.claim([outbound()])
    await desk.deliveries.claim([outbound()])  # somebody else has it now
    assert await desk.sending.settle(outbound(), decisions[0]) == Again(1.0)
    assert not desk.telegram.sent


@pytest.mark.parametrize("problem", Problem)
async def test_each_problem_has_its_end(problem: Problem) -> None:
    desk = Desk()
    desk.telegram.failures = [ProviderError(problem)]
    verdict = VERDICTS[problem]
    settlements = await desk.send(outbound())
    report = desk.deliveries.of(outbound()).history[-1]
    assert (report.state, report.reason) == (verdict.state, problem.value)
    assert report.recipient_gone is verdict.recipient_gone
    expected = Again(verdict.pause_seconds) if verdict.state is State.PLANNED else Done()
    assert settlements == [expected]


@pytest.mark.guarantee("P2-unknown")
@pytest.mark.parametrize("problem", [Problem.ANSWER_LOST, Problem.PROVIDER_FAILED])
async def test_what_may_have_arrived_is_never_sent_again(problem: Problem) -> None:
    desk = Desk()
    desk.telegram.failures = [ProviderError(problem)]
    assert await desk.send(outbound()) == [Done()]
    assert await desk.send(outbound()) == [Done()]  # redelivered by the stream
    assert not desk.telegram.sent
    assert desk.states(outbound()) == [State.IN_FLIGHT, State.UNKNOWN]


async def test_retry_after_stops_the_whole_account_and_no_other() -> None:
    desk = Desk(workers=1)
    desk.telegram.failures = [ProviderError(Problem.RATE_LIMITED, retry_after_seconds=17)]
    first, second, other = outbound(1), outbound(2, address="8"), outbound(3, account="2000", address="9")
    assert await desk.send(first, second, other) == [Again(17), Again(17), Done()]
    assert desk.deliveries.of(first).history[-1].not_before == NOON + timedelta(seconds=17)
    assert desk.deliveries.of(second).history[-1].state is State.PLANNED
    claims = len(desk.deliveries.claims)
    assert await desk.send(outbound(4, address="10")) == [Again(17)]  # not even claimed
    assert len(desk.deliveries.claims) == claims
    desk.clock.advance(17)
    assert await desk.send(first, second) == [Done(), Done()]
    assert len(desk.telegram.sent) == 3


async def test_what_was_put_off_does_not_let_later_messages_of_the_chat_pass() -> None:
    desk = Desk()
    desk.telegram.failures = [ProviderError(Problem.UNREACHABLE)]
    assert await desk.send(outbound(1), outbound(2)) == [Again(5), Again(5)]
    desk.clock.advance(5)
    await desk.send(outbound(1), outbound(2))
    assert desk.telegram.texts("7") == ["Answer 1.", "Answer 2."]


async def test_one_chat_keeps_its_order_and_different_chats_do_not_wait() -> None:
    desk = Desk(workers=3)
    gate = asyncio.Event()

    async def slow() -> None:
        await gate.wait()

    desk.telegram.before = slow
    messages = [outbound(number, address=str(number % 3)) for number in range(9)]
    work = asyncio.create_task(desk.send(*messages))
    while desk.telegram.now < 3:  # noqa: ASYNC110  # three chats at once
        await asyncio.sleep(0)
    gate.set()
    await work
    assert desk.telegram.texts("0") == ["Answer 0.", "Answer 3.", "Answer 6."]


@pytest.mark.parametrize("workers", [1, 3])
async def test_max_workers_bounds_the_calls_to_providers(workers: int) -> None:
    desk = Desk(workers)
    most = 0

    async def look() -> None:
        nonlocal most
        most = max(most, desk.deliveries.in_flight)
        await asyncio.sleep(0.001)

    desk.telegram.before = look
    await desk.send(*(outbound(number, address=str(number)) for number in range(20)))
    assert desk.telegram.most == workers
    assert most <= workers  # what a crash could leave unknown


async def test_proactive_messages_leave_workers_to_replies() -> None:
    desk = Desk(workers=2)
    gate = asyncio.Event()
    desk.telegram.before = gate.wait
    broadcast = [outbound(number, lane=Lane.PROACTIVE, address=str(number)) for number in range(5)]
    work = asyncio.create_task(desk.send(*broadcast))
    while desk.telegram.now < 1:  # noqa: ASYNC110  # the broadcast has all that it may have
        await asyncio.sleep(0)
    reply = asyncio.create_task(desk.send(outbound(9, address="99")))
    while desk.telegram.now < 2:  # noqa: ASYNC110  # the reply has not waited for it
        await asyncio.sleep(0)
    gate.set()
    assert await reply == [Done()]
    await work


async def test_a_hanging_provider_does_not_keep_the_page_waiting() -> None:
    desk = Desk(workers=1)
    gate = asyncio.Event()
    desk.telegram.before = gate.wait
    hanging = asyncio.create_task(desk.send(outbound(1)))
    assert await desk.send(outbound(2, channel="web", account="default", address="guest")) == [Done()]
    gate.set()
    await hanging


async def test_coaching_decides() -> None:
    desk = Desk()
    held, dropped = outbound(1), outbound(2)
    desk.deliveries.of(held).decision = Hold(NOON + timedelta(seconds=40))
    desk.deliveries.of(dropped).decision = Drop()
    assert await desk.send(held, dropped) == [Again(40), Done()]
    assert not desk.telegram.sent


async def test_a_long_hold_is_asked_about_again_before_its_time() -> None:
    desk = Desk()
    desk.deliveries.of(outbound()).decision = Hold(NOON + timedelta(hours=9))
    assert await desk.send(outbound()) == [Again(900)]


async def test_while_coaching_is_away_messages_wait() -> None:
    desk = Desk()
    desk.deliveries.available = False
    assert await desk.send(outbound()) == [Again(COACHING_AWAY_SECONDS)]
    assert not desk.telegram.sent


async def test_an_account_that_is_not_configured_waits_for_it() -> None:
    assert await Desk().send(outbound(account="3000")) == [Again(ACCOUNT_MISSING_SECONDS)]


async def test_what_the_coach_says_first_does_not_wait_for_such_an_account_for_ever() -> None:
    desk = Desk()
    message = outbound(account="3000", lane=Lane.PROACTIVE, created_at=NOON)
    assert await desk.send(message) == [Again(ACCOUNT_MISSING_SECONDS)]
    desk.clock.advance(ACCOUNT_GIVEN_UP.total_seconds() + 1)
    assert await desk.send(message) == [Done()]
    assert desk.states(message) == [State.FAILED]
    late_reply = outbound(2, account="3000", created_at=NOON)
    assert await desk.send(late_reply) == [Again(ACCOUNT_MISSING_SECONDS)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [(outbound(text=" \n"), "empty"), (outbound(not_after=NOON), "stale")],
)
async def test_what_cannot_or_must_not_be_sent_fails_with_its_reason(message: Outbound, reason: str) -> None:
    desk = Desk()
    assert await desk.send(message) == [Done()]
    report = desk.deliveries.of(message).history[-1]
    assert (report.state, report.reason) == (State.FAILED, reason)
    assert not desk.telegram.sent


async def test_at_the_end_of_the_process_claims_are_given_back() -> None:
    desk = Desk()
    decisions = await desk.sending.claim([outbound()])
    desk.stopping.set()
    assert isinstance(await desk.sending.settle(outbound(), decisions[0]), Again)
    assert desk.states(outbound()) == [State.PLANNED]
    assert not desk.telegram.sent


async def test_reports_that_wait_go_together() -> None:
    desk = Desk(workers=16)
    await desk.send(*(outbound(number, address=str(number)) for number in range(64)))
    assert sum(desk.deliveries.reports) == 128
    assert len(desk.deliveries.reports) < 64


async def test_a_report_is_repeated_until_coaching_takes_it() -> None:
    desk = Desk()

    async def lose_coaching() -> None:
        desk.deliveries.available = False
        asyncio.get_running_loop().call_later(0.15, setattr, desk.deliveries, "available", True)

    desk.telegram.before = lose_coaching
    assert await desk.send(outbound()) == [Done()]
    assert desk.states(outbound()) == [State.IN_FLIGHT, State.ACCEPTED]
