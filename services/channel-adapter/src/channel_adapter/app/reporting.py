"""Reports to coaching, many in one call: those that wait while a call is under way go together in the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable

from channel_adapter.app.ports import CoachingUnavailableError, Deliveries
from channel_adapter.domain.delivery import Report
from kit import log
from kit.backoff import Backoff

REPORTS_AT_ONCE = 256  # the limit of ReportDelivery
_log = log.get_logger("channel_adapter.reporting")


class Reporter:
    """Sends reports one call after the other, in the order in which they were made.

    That order is what bounds the deliveries in flight: a worker that finished has its result in the same call as, or an
    earlier one than, the next in-flight report that its place makes possible.
    """

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._waiting: deque[tuple[Report, asyncio.Future[bool]]] = deque()
        self._flush: asyncio.Task[None] | None = None

    def submit(self, report: Report) -> Awaitable[bool]:
        """Queue a report; the result says whether it was applied. It waits for as long as coaching is away."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((report, future))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._send_all())
        return future

    async def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), REPORTS_AT_ONCE))]
            applied = await self._send([report for report, _ in batch])
            for (_, future), result in zip(batch, applied, strict=True):
                if not future.done():
                    future.set_result(result)

    async def _send(self, reports: list[Report]) -> list[bool]:
        for delay in Backoff(first=0.1, most=3).delays():
            try:
                return await self._deliveries.report(reports)
            except CoachingUnavailableError:
                _log.warning("report_delayed", reports=len(reports))
                await asyncio.sleep(delay)
        return [False] * len(reports)  # not reached: the delays have no end
