"""What senders say about the deliveries they claimed."""

from collections.abc import Sequence

from coaching.app.ports import Deliveries, LockedDeliveries
from coaching.domain.deliveries import Delivery, Report, State, reported
from coaching.metrics import DELIVERY_REPORTS
from kit.clock import Clock


class ReportDelivery:
    """Moves deliveries forward; an old token or a step backwards changes nothing."""

    def __init__(self, deliveries: Deliveries, clock: Clock) -> None:
        self._deliveries = deliveries
        self._clock = clock

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
        changed: dict[str, Delivery] = {}
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
