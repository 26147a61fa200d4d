"""Looking after deliveries that nobody came back for."""

from collections.abc import Callable

from coaching.app.ports import Deliveries
from coaching.domain.deliveries import State, claimed, standing
from coaching.metrics import SWEPT
from kit.clock import Clock

SWEEP_ROWS = 256


class Sweep:
    """In flight without a living sender becomes unknown; planned but never claimed is published again."""

    def __init__(self, deliveries: Deliveries, clock: Clock, relay: Callable[[], None]) -> None:
        self._deliveries = deliveries
        self._clock = clock
        self._wake_relay = relay

    async def __call__(self) -> int:
        """Look after what is due; return how many deliveries that were."""
        due = await self._deliveries.claim_to_sweep(SWEEP_ROWS)
        for organization_id, ids in due.items():
            async with self._deliveries.locked(organization_id, ids) as rows:
                still = [row for row in rows.found.values() if not row.leased]
                lost = [claimed(row, standing(row, self._clock.now())) for row in still if row.state is State.IN_FLIGHT]
                again = [row.delivery_id for row in still if row.state in (State.PLANNED, State.CLAIMED)]
                if lost:
                    await rows.write(lost, "sweep")
                if again:
                    await rows.publish_again(again)
            SWEPT.labels("unknown").inc(len(lost))
            SWEPT.labels("published_again").inc(len(again))
        if due:
            self._wake_relay()
        return sum(map(len, due.values()))
