"""The last question before a provider is called: send it, hold it, or drop it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coaching.app.ports import Deliveries, LockedDeliveries
from coaching.domain.deliveries import Decision, Delivery, Drop, Hold, Kind, Send, claimed, standing
from coaching.domain.proactive import Standing, decide_standing
from coaching.metrics import DELIVERY_DECISIONS
from kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer for one delivery; token and parts_accepted count with Send."""

    delivery_id: str
    decision: Decision
    token: int = 0
    parts_accepted: int = 0


class ClaimDelivery:
    """Decides about many deliveries at once; the rows of one organisation are locked and written together."""

    def __init__(self, deliveries: Deliveries, clock: Clock) -> None:
        self._deliveries = deliveries
        self._clock = clock

    async def __call__(self, keys: Sequence[tuple[str, str]], owner: str) -> list[Decided]:
        """Return one answer per (organisation, delivery), in order; the second of two equal keys is held."""
        answers: dict[tuple[str, str], Decided] = {}
        for organization_id in dict.fromkeys(organization for organization, _ in keys):
            ids = list(dict.fromkeys(delivery for organization, delivery in keys if organization == organization_id))
            async with self._deliveries.locked(organization_id, ids) as rows:
                for decided in await self._decide(rows, ids, owner):
                    answers[organization_id, decided.delivery_id] = decided
        for decided in answers.values():
            _count(decided.decision)
        return [_answer(answers[key], repeated=key in keys[:at]) for at, key in enumerate(keys)]

    async def _decide(self, rows: LockedDeliveries, ids: Sequence[str], owner: str) -> list[Decided]:
        now = self._clock.now()
        first = [at for at, row in rows.found.items() if row.kind is Kind.PROACTIVE]
        standings = await rows.standings(first) if first else {}
        answers, changed = [], []
        for delivery_id in ids:
            row = rows.found.get(delivery_id)
            if row is None:
                # A row is committed before it is published: one that is missing was erased, or not restored.
                answers.append(Decided(delivery_id, Drop("no_such_delivery")))
                continue
            decision = _decision(row, standings, now)
            after = claimed(row, decision)
            if after != row:
                changed.append(after)
            answers.append(Decided(delivery_id, decision, after.token, after.parts_accepted))
        if changed:
            await rows.write(changed, owner)
        return answers


def _decision(row: Delivery, standings: Mapping[str, Standing], now: datetime) -> Decision:
    decision = standing(row, now)
    if isinstance(decision, Send) and row.kind is Kind.PROACTIVE:
        return decide_standing(now, standings[row.delivery_id])
    return decision


def _answer(decided: Decided, *, repeated: bool) -> Decided:
    if repeated and isinstance(decided.decision, Send):
        return Decided(decided.delivery_id, Drop("already_claimed"))
    return decided


def _count(decision: Decision) -> None:
    reason = "" if isinstance(decision, Send) else decision.reason
    word = "send" if isinstance(decision, Send) else "hold" if isinstance(decision, Hold) else "drop"
    DELIVERY_DECISIONS.labels(word, reason).inc()
