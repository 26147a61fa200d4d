"""Taking in what channels tell: a batch is one transaction per organisation and kind, each event counts once."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from coaching.app.ports import Inbox, Live, StoreRefusedError, StoreUnavailableError, Waker
from coaching.domain.ids import OrganizationId
from coaching.domain.inbound import InboundEvent, InboundOptOut, InboundReceipt, InboundText
from coaching.metrics import TAKEN_IN
from kit import log
from kit.clock import Clock

# A receipt can overtake the sender's own report; after this long it belongs to a message that is not ours.
RECEIPT_PATIENCE = timedelta(seconds=60)
E = TypeVar("E", InboundText, InboundReceipt, InboundOptOut)
_log = log.get_logger("coaching.take_in")


class Verdict(StrEnum):
    """What becomes of the stream's message: ack, come again, or put aside for good."""

    DONE = "done"
    LATER = "later"
    POISON = "poison"


class TakeIn:
    """Stores events, and wakes whoever answers them."""

    def __init__(
        self, inbox: Inbox, live: Live, clock: Clock, worker: Waker, ahead: Callable[[], int], settle_seconds: float
    ) -> None:
        self._inbox = inbox
        self._live = live
        self._clock = clock
        self._worker = worker
        self._ahead = ahead
        self._settle_seconds = settle_seconds

    async def __call__(self, events: Sequence[InboundEvent]) -> list[Verdict]:
        """Return a verdict for each event, in order."""
        verdicts: dict[int, Verdict] = {}
        for organization_id in dict.fromkeys(event.organization_id for event in events):
            own = [(at, event) for at, event in enumerate(events) if event.organization_id == organization_id]
            verdicts |= await self._of_kind(organization_id, own, InboundText, self._texts)
            verdicts |= await self._of_kind(organization_id, own, InboundReceipt, self._receipts)
            verdicts |= await self._of_kind(organization_id, own, InboundOptOut, self._opt_outs)
        return [verdicts[at] for at in range(len(events))]

    async def _of_kind(
        self,
        organization_id: OrganizationId,
        events: Sequence[tuple[int, InboundEvent]],
        kind: type[E],
        take: Callable[[OrganizationId, list[E]], Awaitable[list[Verdict]]],
    ) -> dict[int, Verdict]:
        places = [at for at, event in events if isinstance(event, kind)]
        own = [event for _, event in events if isinstance(event, kind)]
        if not own:
            return {}
        verdicts = await self._isolated(organization_id, own, take)
        for verdict in verdicts:
            TAKEN_IN.labels(kind.__name__, verdict.value).inc()
        return dict(zip(places, verdicts, strict=True))

    async def _isolated(
        self,
        organization_id: OrganizationId,
        events: list[E],
        take: Callable[[OrganizationId, list[E]], Awaitable[list[Verdict]]],
    ) -> list[Verdict]:
        """Take all together; where the database refuses, take each alone, so that one bad event spoils no other."""
        try:
            return await take(organization_id, events)
        except StoreUnavailableError as error:
            _log.warning("take_in_postponed", events=len(events), exc_info=error)
            return [Verdict.LATER] * len(events)
        except StoreRefusedError as error:
            if len(events) == 1:
                _log.error("event_refused", kind=type(events[0]).__name__, exc_info=error)
                return [Verdict.POISON]
        return [verdict for event in events for verdict in await self._isolated(organization_id, [event], take)]

    async def _texts(self, organization_id: OrganizationId, texts: list[InboundText]) -> list[Verdict]:
        woken = await self._inbox.take_texts(organization_id, texts)
        if woken:
            self._worker.wake(self._settle_seconds)
        ahead = self._ahead()
        if ahead:
            for place in woken:
                await self._live.queued(place, "", ahead)
        return [Verdict.DONE] * len(texts)

    async def _receipts(self, organization_id: OrganizationId, receipts: list[InboundReceipt]) -> list[Verdict]:
        known = await self._inbox.take_receipts(organization_id, receipts)
        now = self._clock.now()
        return [
            Verdict.DONE if item.provider_message_id in known or _too_old(item, now) else Verdict.LATER
            for item in receipts
        ]

    async def _opt_outs(self, organization_id: OrganizationId, opt_outs: list[InboundOptOut]) -> list[Verdict]:
        await self._inbox.take_opt_outs(organization_id, opt_outs)
        return [Verdict.DONE] * len(opt_outs)


def _too_old(receipt: InboundReceipt, now: datetime) -> bool:
    return now - receipt.received_at > RECEIPT_PATIENCE
