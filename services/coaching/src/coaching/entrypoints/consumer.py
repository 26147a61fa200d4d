"""INBOUND: batches are taken in and only then acknowledged; what nobody can read goes to DEADLETTER."""

import asyncio
from collections.abc import Sequence

from nats.aio.msg import Msg

from coaching.app.take_in import TakeIn, Verdict
from coaching.domain.inbound import InboundEvent
from coaching.entrypoints.inbound import UnreadableError, read
from coaching.metrics import TAKEN_IN
from kit import faultpoints, log, tracing
from kit.clock import Clock
from kit.consumer import UNAVAILABLE, PullConsumer
from kit.jetstream import Bus, Outgoing

BATCH = 256
LATER_SECONDS = 2.0
DEADLETTER_SUBJECT = "deadletter.coaching"
_log = log.get_logger("coaching.consumer")


class InboundConsumer:
    """Takes inbound events from the stream until the process stops."""

    def __init__(self, consumer: PullConsumer, bus: Bus, take_in: TakeIn, clock: Clock) -> None:
        self._consumer = consumer
        self._bus = bus
        self._take_in = take_in
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping`; a batch that has begun is finished."""
        async for batch in self._consumer.batches(BATCH, stopping):
            async with self._consumer.working(batch):
                await self.handle(batch)

    async def handle(self, batch: Sequence[Msg]) -> None:
        """Take one batch in; acknowledge what is stored, postpone what could not be, put aside what cannot be read."""
        readable: list[tuple[Msg, InboundEvent]] = []
        for message in batch:
            try:
                readable.append(
                    (message, read(message.data, self._clock, (message.headers or {}).get("traceparent", "")))
                )
            except UnreadableError as error:
                _log.error("event_unreadable", field=str(error))
                TAKEN_IN.labels("unreadable", Verdict.POISON.value).inc()
                await self._settle(message, Verdict.POISON)
        if not readable:
            return
        with tracing.continued(readable[0][0].headers), tracing.span("take_in", events=len(readable)):
            verdicts = await self._take_in([event for _, event in readable])
        faultpoints.reached("before_inbound_ack")
        for (message, _), verdict in zip(readable, verdicts, strict=True):
            await self._settle(message, verdict)

    async def _settle(self, message: Msg, verdict: Verdict) -> None:
        try:
            match verdict:
                case Verdict.DONE:
                    await message.ack()
                case Verdict.LATER:
                    await message.nak(delay=LATER_SECONDS)
                case Verdict.POISON:
                    await self._bury(message)
        except UNAVAILABLE as error:
            # It comes again after the ack wait, and counts once.
            _log.warning("settle_failed", verdict=verdict.value, exc_info=error)

    async def _bury(self, message: Msg) -> None:
        """Keep the bytes where operators can look at them, then end the delivery."""
        sequence = message.metadata.sequence.stream
        outgoing = Outgoing(DEADLETTER_SUBJECT, message.data, f"coaching:{message.metadata.stream}:{sequence}")
        await self._bus.publish(outgoing)
        await message.term()
