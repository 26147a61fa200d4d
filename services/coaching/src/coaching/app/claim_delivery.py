"""The last question before a provider is called: send it, hold it, or drop it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coaching.app.ports import Deliveries, LockedDeliveries
from coaching.app.trusted_time import TrustedTime
from coaching.domain.deliveries import Decision, Delivery, Drop, Hold, Kind, Send, claimed, standing
from coaching.domain.last_word import LastWord, last_words
from coaching.domain.proactive import Limits
from coaching.metrics import DELIVERY_DECISIONS
from kit.clock import Clock

AFTER_EARLIER = timedelta(seconds=1)  # between two looks whether the earlier reply has been sent


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer for one delivery; token and parts_accepted count with Send."""

    delivery_id: str
    decision: Decision
    token: int = 0
    parts_accepted: int = 0


class ClaimDelivery:
    """Decides about many deliveries at once; the rows of one organisation are locked and written together."""

    def __init__(self, deliveries: Deliveries, clock: Clock, time: TrustedTime, limits: Limits) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._time = time
        self._limits = limits

    async def __call__(self, keys: Sequence[tuple[str, str]], owner: str) -> list[Decided]:
        """Return one answer per (organisation, delivery), in order; the second of two equal keys is held."""
        answers: dict[tuple[str, str], Decided] = {}
        for organization_id in dict.fromkeys(organization for organization, _ in keys):
            ids = list(dict.fromkeys(delivery for organization, delivery in keys if organization == organization_id))
            async with self._deliveries.locked_for(organization_id, ids, owner) as rows:
                for decided in await self._decide(rows, ids, owner):
                    answers[organization_id, decided.delivery_id] = decided
        for decided in answers.values():
            _count(decided.decision)
        return [_answer(answers[key], repeated=key in keys[:at]) for at, key in enumerate(keys)]

    async def _decide(self, rows: LockedDeliveries, ids: Sequence[str], owner: str) -> list[Decided]:
        now = self._clock.now()
        words = await self._last_words(rows, ids)
        answers, changed = [], []
        for delivery_id in ids:
            row = rows.found.get(delivery_id)
            if row is None:
                # A row is committed before it is published: one that is missing was erased, or not restored.
                answers.append(Decided(delivery_id, Drop("no_such_delivery")))
                continue
            word = words.get(delivery_id)
            if word is not None and word.withdrawn:
                answers.append(Decided(delivery_id, Drop("withdrawn")))
                continue
            decision = word.decision if word is not None else _reply(row, now)
            after = row if decision == _overtaking(now) else claimed(row, decision)
            if after != row:
                changed.append(after)
            answers.append(Decided(delivery_id, decision, after.token, after.parts_accepted))
        if changed:
            await rows.write(changed, owner)
        return answers

    async def _last_words(self, rows: LockedDeliveries, ids: Sequence[str]) -> Mapping[str, LastWord]:
        """Decide anew about proactive messages; what may not leave is taken back, and its nudge waits or is over."""
        first = [rows.found[at] for at in ids if at in rows.found and rows.found[at].kind is Kind.PROACTIVE]
        if not first:
            return {}
        database_now, outgoing = await rows.outgoing([row.delivery_id for row in first], self._time.earliest())
        moments = self._time.moments(database_now)
        words = last_words(first, outgoing, moments, self._limits)
        told = [words[row.delivery_id] for row in first if words[row.delivery_id].facts]
        await rows.tell(told, min(moments))
        return words


def _reply(row: Delivery, now: datetime) -> Decision:
    decision = standing(row, now)
    return _overtaking(now) if isinstance(decision, Send) and row.overtakes else decision


def _overtaking(now: datetime) -> Hold:
    return Hold(now + AFTER_EARLIER, "after_earlier")


def _answer(decided: Decided, *, repeated: bool) -> Decided:
    if repeated and isinstance(decided.decision, Send):
        return Decided(decided.delivery_id, Drop("already_claimed"))
    return decided


def _count(decision: Decision) -> None:
    reason = "" if isinstance(decision, Send) else decision.reason
    word = "send" if isinstance(decision, Send) else "hold" if isinstance(decision, Hold) else "drop"
    DELIVERY_DECISIONS.labels(word, reason).inc()
