"""Send what coaching planned: claim, say that it is in flight, call the provider, say what became of it.

A process may die between any two of these steps. Before the in-flight report nothing was sent, and the claim runs out;
after it the delivery can only become unknown, and nobody sends it again.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from channel_adapter.app import metrics
from channel_adapter.app.channel import Connection, Connections
from channel_adapter.app.pace import Rests, Turns, Workers
from channel_adapter.app.ports import CoachingUnavailableError, Deliveries
from channel_adapter.app.reporting import Reporter
from channel_adapter.domain.delivery import (
    Again,
    Decision,
    Done,
    Drop,
    Hold,
    Lane,
    Outbound,
    ProviderError,
    Report,
    Send,
    Settlement,
    State,
)
from channel_adapter.domain.splitting import split
from kit import log
from kit.clock import Clock
from kit.faultpoints import reached

COACHING_AWAY_SECONDS = 2.0
ACCOUNT_MISSING_SECONDS = 60.0
# Nobody waits for what the coach says first: those of an account that stays away must not fill the whole lane.
ACCOUNT_GIVEN_UP = timedelta(minutes=10)
CLAIM_LOST_SECONDS = 1.0
# A hold is asked about again after a quarter of an hour at most: what it depends on may change before its time.
HOLD_SECONDS = (0.2, 900.0)
_log = log.get_logger("channel_adapter.send")


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds sending, shared by replies and proactive messages."""

    turns: Turns
    workers: Workers
    rests: Rests


class SendDeliveries:
    """The path of outgoing messages; `stopping` gives back what is claimed and not yet begun."""

    def __init__(
        self, connections: Connections, deliveries: Deliveries, pace: Pace, clock: Clock, stopping: asyncio.Event
    ) -> None:
        self._connections = connections
        self._deliveries = deliveries
        self._reporter = Reporter(deliveries)
        self._pace = pace
        self._clock = clock
        self._stopping = stopping

    async def claim(self, messages: Sequence[Outbound]) -> list[Decision | Again]:
        """Return, per message, what coaching decides, or that it cannot be asked about now."""
        early = [self._not_now(message) for message in messages]
        asked = [message for message, no in zip(messages, early, strict=True) if no is None]
        if not asked:
            return [no for no in early if no is not None]
        try:
            decisions = iter(await self._deliveries.claim(asked))
        except CoachingUnavailableError:
            _log.warning("claim_delayed", deliveries=len(asked))
            return [no or Again(COACHING_AWAY_SECONDS) for no in early]
        reached("after_claim")
        return [no or next(decisions) for no in early]

    async def settle(self, message: Outbound, decision: Decision | Again) -> Settlement:
        """Carry out one decision, after the earlier messages of the same chat; return what becomes of the message."""
        match decision:
            case Again():
                return decision
            case Hold(until):
                self._count(message, "held")
                least, most = HOLD_SECONDS
                return Again(min(most, max(least, (until - self._clock.now()).total_seconds())))
            case Drop():
                self._count(message, "dropped")
                return Done()
            case Send():
                async with self._pace.turns.of(message.chat):
                    return await self._send(message, decision)

    def _not_now(self, message: Outbound) -> Again | None:
        if message.endpoint not in self._connections:
            _log.error("account_not_configured", channel=message.channel, delivery_id=message.delivery_id)
            late = self._clock.now() - message.created_at > ACCOUNT_GIVEN_UP
            return None if late and message.lane is Lane.PROACTIVE else Again(ACCOUNT_MISSING_SECONDS)
        rest = self._pace.rests.remaining(message.endpoint)
        return Again(rest) if rest else None

    async def _send(self, message: Outbound, claim: Send) -> Settlement:
        connection = self._connections.get(message.endpoint)
        if connection is None:
            failed = replace(_first_report(message, claim), state=State.FAILED, reason="account_not_configured")
            await self._reporter.submit(failed)
            self._count(message, failed.state.value)
            return Done()
        parts = split(message.text, connection.abilities.text_limit)
        async with self._pace.workers.one(message.lane, needed=connection.abilities.calls_provider):
            report = self._without_call(message, claim, parts) or await self._call(connection, message, claim, parts)
            # Submitted before the worker is free: see Reporter.
            pending = self._reporter.submit(report) if report else None
        if report is None or pending is None:
            self._count(message, "claim_lost")
            return Again(CLAIM_LOST_SECONDS)
        await pending
        self._count(message, report.state.value)
        if report.not_before is None:
            return Done()
        return Again(max(0.1, (report.not_before - self._clock.now()).total_seconds()))

    def _without_call(self, message: Outbound, claim: Send, parts: Sequence[str]) -> Report | None:
        """Return the report where there is nothing to call the provider for."""
        report = _first_report(message, claim)
        if message.not_after is not None and self._clock.now() >= message.not_after:
            return replace(report, state=State.FAILED, reason="stale")
        if not parts:
            return replace(report, state=State.FAILED, reason="empty")
        rest = self._pace.rests.remaining(message.endpoint)
        if rest or self._stopping.is_set():
            reason = "account_rests" if rest else "stopping"
            return replace(report, state=State.PLANNED, reason=reason, not_before=self._later(rest))
        return None

    async def _call(
        self, connection: Connection, message: Outbound, claim: Send, parts: Sequence[str]
    ) -> Report | None:
        """Send the remaining parts in order; None where the claim is no longer ours."""
        provider_id = ""
        if claim.parts_accepted >= len(parts):
            # A version that split the text into more parts got them all accepted; accepted comes after in flight.
            await self._reporter.submit(_first_report(message, claim))
        with metrics.IN_FLIGHT.labels(message.lane.value).track_inprogress():
            for number in range(claim.parts_accepted, len(parts)):
                report = replace(_first_report(message, claim), parts_accepted=number)
                if not await self._reporter.submit(report):
                    return None
                reached("after_in_flight")
                try:
                    provider_id = await self._timed(connection, message, parts[number])
                except ProviderError as error:
                    return self._failure(message, report, error)
                reached("after_request")
        done = replace(
            _first_report(message, claim), state=State.ACCEPTED, parts_accepted=max(claim.parts_accepted, len(parts))
        )
        return replace(done, provider_message_id=provider_id)

    @staticmethod
    async def _timed(connection: Connection, message: Outbound, part: str) -> str:
        begun = time.perf_counter()
        try:
            return await connection.sender.send(message, part)
        finally:
            metrics.PROVIDER_SECONDS.labels(connection.channel).observe(time.perf_counter() - begun)

    def _failure(self, message: Outbound, report: Report, error: ProviderError) -> Report:
        verdict = error.verdict
        note = _log.error if verdict.page else _log.warning
        note("send_failed", channel=message.channel, problem=error.problem.value, delivery_id=message.delivery_id)
        failed = replace(report, state=verdict.state, reason=error.problem.value, recipient_gone=verdict.recipient_gone)
        if verdict.state is not State.PLANNED:
            return failed
        self._pace.rests.rest(message.endpoint, error.pause_seconds)
        return replace(failed, not_before=self._later(error.pause_seconds))

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)

    @staticmethod
    def _count(message: Outbound, outcome: str) -> None:
        metrics.SENT.labels(message.channel, message.lane.value, outcome).inc()


def _first_report(message: Outbound, claim: Send) -> Report:
    return Report(
        organization_id=message.organization_id,
        delivery_id=message.delivery_id,
        token=claim.token,
        state=State.IN_FLIGHT,
        parts_accepted=claim.parts_accepted,
    )
