"""What senders say about the deliveries they claimed."""

from collections.abc import Sequence
from dataclasses import replace

from coaching.app.ports import Deliveries, LockedDeliveries
from coaching.app.trusted_time import TrustedTime
from coaching.domain.deliveries import Delivery, Kind, Report, Send, State, reported
from coaching.domain.last_word import last_words
from coaching.domain.proactive import Limits
from coaching.metrics import DELIVERY_REPORTS
from kit.clock import Clock


class ReportDelivery:
    """Moves deliveries forward; an old token or a step backwards changes nothing.

    A claimed message may have waited at its sender. So before the first call for one that the coach writes first it is
    decided about once more, and what may not leave any more does not begin.
    """

    def __init__(self, deliveries: Deliveries, clock: Clock, time: TrustedTime, limits: Limits) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._time = time
        self._limits = limits

    async def __call__(self, reports: Sequence[tuple[str, Report]], owner: str = "") -> list[bool]:
        """Apply (organisation, report) pairs in order; return for each whether it was applied."""
        applied: dict[int, bool] = {}
        for organization_id in dict.fromkeys(organization for organization, _ in reports):
            own = [(at, report) for at, (organization, report) in enumerate(reports) if organization == organization_id]
            ids = list(dict.fromkeys(report.delivery_id for _, report in own))
            async with self._deliveries.locked(organization_id, ids) as rows:
                applied |= await self._apply(rows, own, owner)
        for at, (_, report) in enumerate(reports):
            DELIVERY_REPORTS.labels(report.state.value, str(applied[at]).lower()).inc()
        return [applied[at] for at in range(len(reports))]

    async def _apply(self, rows: LockedDeliveries, reports: list[tuple[int, Report]], owner: str) -> dict[int, bool]:
        current: dict[str, Delivery] = dict(rows.found)
        changed = await self._forbidden(rows, reports)
        current.update(changed)
        gone: list[str] = []
        applied: dict[int, bool] = {}
        for at, report in reports:
            row = current.get(report.delivery_id)
            after = reported(row, report) if row is not None else None
            applied[at] = after is not None
            if after is None:
                continue
            current[report.delivery_id] = changed[report.delivery_id] = after
            if report.recipient_gone and after.state is State.FAILED:
                gone.append(report.delivery_id)
        if changed:
            await rows.write(list(changed.values()), owner)
        if gone:
            await rows.recipients_gone(gone, self._clock.now())
        return applied

    async def _forbidden(self, rows: LockedDeliveries, reports: list[tuple[int, Report]]) -> dict[str, Delivery]:
        """Take back what would begin now and may not leave any more; return it, no longer claimed."""
        first = {
            row.delivery_id: row
            for _, report in reports
            if (row := rows.found.get(report.delivery_id)) is not None and _begins_first(row, report)
        }
        if not first:
            return {}
        database_now, outgoing = await rows.outgoing(list(first), self._time.earliest())
        moments = self._time.moments(database_now)
        words = [
            # Each alone: those beside it were claimed as well, and count as sent already.
            last_words([replace(row, leased=False)], outgoing, moments, self._limits)[row.delivery_id]
            for row in first.values()
        ]
        refused = [word for word in words if not isinstance(word.decision, Send)]
        await rows.tell([word for word in refused if word.facts], min(moments))
        return {
            (own := word.outgoing.delivery_id): replace(first[own], state=State.PLANNED, leased=False)
            for word in refused
        }


def _begins_first(row: Delivery, report: Report) -> bool:
    """Tell whether a report says that the coach writes first now, with no part of it sent yet."""
    begins = report.state is State.IN_FLIGHT and reported(row, report) is not None
    return begins and row.kind is Kind.PROACTIVE and row.state is State.CLAIMED and row.parts_accepted == 0
