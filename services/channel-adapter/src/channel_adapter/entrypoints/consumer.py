"""OUTBOUND: messages to send, replies and proactive ones by consumers of their own."""

import asyncio
from collections.abc import Sequence
from datetime import UTC

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.errors import MsgAlreadyAckdError

from channel_adapter.app.ports import DeadLetters
from channel_adapter.app.send import SendDeliveries
from channel_adapter.domain.delivery import Again, Decision, Done, Lane, Outbound, Settlement
from contracts.events.v1 import events_pb2 as pb
from kit import log, tracing
from kit.consumer import UNAVAILABLE, PullConsumer
from kit.faultpoints import reached

# So many batches may be worked on at once: one chat that hangs must not keep the others waiting.
BATCHES_AT_ONCE = 4
# When something broke that nobody foresaw; the claim has run out by then.
BROKEN_SECONDS = 30.0
_log = log.get_logger("channel_adapter.consumer")


class ConsumeOutbound:
    """One consumer, from the message on the stream to its acknowledgement."""

    def __init__(
        self, consumer: PullConsumer, lane: Lane, sending: SendDeliveries, dead_letters: DeadLetters, limit: int
    ) -> None:
        self._consumer = consumer
        self._lane = lane
        self._sending = sending
        self._dead_letters = dead_letters
        self._limit = limit

    async def run(self, stopping: asyncio.Event) -> None:
        """Take batches until the process ends, then finish those that were begun."""
        batches: set[asyncio.Task[None]] = set()
        try:
            async for batch in self._consumer.batches(self._limit, stopping):
                usable = [(message, outbound) for message in batch if (outbound := await self._decode(message))]
                # Claimed here, one batch after the other, so that the messages of one chat stay in their order.
                decisions = await self._sending.claim([outbound for _, outbound in usable])
                batches.add(asyncio.create_task(self._carry_out(usable, decisions)))
                if len(batches) >= BATCHES_AT_ONCE:
                    _, batches = await asyncio.wait(batches, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*batches)
        finally:
            for task in batches:  # where the process cannot wait any longer
                task.cancel()

    async def _carry_out(self, usable: Sequence[tuple[Msg, Outbound]], decisions: Sequence[Decision | Again]) -> None:
        async with self._consumer.working([message for message, _ in usable]):
            await asyncio.gather(
                *(self._one(*pair, decision) for pair, decision in zip(usable, decisions, strict=True))
            )

    async def _one(self, message: Msg, outbound: Outbound, decision: Decision | Again) -> None:
        settlement: Settlement
        try:
            with tracing.continued(message.headers), tracing.span("deliver", channel=outbound.channel):
                settlement = await self._sending.settle(outbound, decision)
        except Exception as error:  # noqa: BLE001  # the edge of the loop: one message must not stop the others
            _log.error("delivery_broke", delivery_id=outbound.delivery_id, exc_info=error)
            settlement = Again(BROKEN_SECONDS)
        reached("before_ack")
        await _acknowledge(message, settlement)

    async def _decode(self, message: Msg) -> Outbound | None:
        """Return what is to be sent; what cannot be read is put aside, and leaves the queue once that is stored."""
        try:
            return decode(message.data, self._lane)
        except (DecodeError, ValueError) as error:
            _log.error("outbound_not_readable", exc_info=error)
            kept = await self._dead_letters.keep(message.data, f"outbound:{message.metadata.sequence.stream}")
            await _acknowledge(message, Done() if kept else Again(BROKEN_SECONDS))
            return None


async def _acknowledge(message: Msg, settlement: Settlement) -> None:
    try:
        match settlement:
            case Done():
                await message.ack()
            case Again(seconds):
                await message.nak(delay=seconds)
    except (*UNAVAILABLE, MsgAlreadyAckdError):
        _log.info("acknowledgement_lost")  # it comes again, and coaching knows what became of it


def decode(payload: bytes, lane: Lane) -> Outbound:
    """Return the message; raises DecodeError and ValueError."""
    message = pb.OutboundMessage.FromString(payload)
    if not (message.delivery_id and message.channel and message.account and message.address):
        raise ValueError("an outbound message needs delivery, channel, account and address")
    return Outbound(
        organization_id=message.organization_id,
        delivery_id=message.delivery_id,
        lane=lane,
        channel=message.channel,
        account=message.account,
        address=message.address,
        text=message.text,
        message_id=message.message_id,
        turn_id=message.turn_id,
        source=message.source,
        created_at=message.created_at.ToDatetime(UTC),
        not_after=message.not_after.ToDatetime(UTC) if message.HasField("not_after") else None,
    )
