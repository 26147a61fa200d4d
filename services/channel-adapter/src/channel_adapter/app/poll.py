"""Fetch updates where no webhook reaches us: one process per account, and nothing is confirmed before it is stored."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from channel_adapter.app import metrics
from channel_adapter.app.channel import Connection
from channel_adapter.app.connect import HINTS, AccountState, pause
from channel_adapter.app.ports import (
    InboundUnavailableError,
    Lease,
    Leases,
    Poller,
    RecordsUnavailableError,
)
from channel_adapter.app.receive import Intake
from channel_adapter.domain.delivery import Problem, ProviderError
from kit import log
from kit.backoff import Backoff

_log = log.get_logger("channel_adapter.poll")


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How long a lease holds without a word from its owner, and how often the owner speaks."""

    hold_seconds: float

    @property
    def renew_seconds(self) -> float:
        """Three chances to renew within one hold."""
        return self.hold_seconds / 3


class PollAccount:
    """The polling of one account in this process; other processes wait for the lease."""

    def __init__(
        self, connection: Connection, intake: Intake, leases: Leases, times: LeaseTimes, state: AccountState
    ) -> None:
        self._connection = connection
        self._intake = intake
        self._leases = leases
        self._times = times
        self._state = state

    async def run(self, poller: Poller, stopping: asyncio.Event) -> None:
        """Poll until the process ends."""
        while not stopping.is_set():
            lease = await self._acquire()
            if lease is None:
                await pause(stopping, self._times.renew_seconds)
                continue
            with metrics.POLLING.labels(self._connection.channel).track_inprogress():
                await self._hold(lease, poller, stopping)

    async def _acquire(self) -> Lease | None:
        connection = self._connection
        try:
            return await self._leases.acquire(connection.organization_id, connection.channel, connection.account)
        except RecordsUnavailableError:
            _log.warning("lease_not_taken", channel=connection.channel)
            return None

    async def _hold(self, lease: Lease, poller: Poller, stopping: asyncio.Event) -> None:
        """Poll while the lease is renewed; the first of the two to end, ends both."""
        work: list[Coroutine[Any, Any, Any]] = [self._poll(lease, poller), self._renew(lease), stopping.wait()]
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._release(lease)
        for task in done:
            task.result()  # what broke the polling breaks the process, which is started again

    async def _release(self, lease: Lease) -> None:
        try:
            await self._leases.release(lease)
        except RecordsUnavailableError:
            _log.info("lease_not_released", channel=lease.channel)  # it runs out by itself

    async def _renew(self, lease: Lease) -> None:
        """Return when the lease is lost, or may be."""
        misses = 0
        while misses < 2:  # a third miss would be at the end of the hold, when another may already have it
            await asyncio.sleep(self._times.renew_seconds)
            try:
                if not await self._leases.renew(lease):
                    break
                misses = 0
            except RecordsUnavailableError:
                misses += 1
        _log.warning("lease_lost", channel=lease.channel)

    async def _poll(self, lease: Lease, poller: Poller) -> None:
        """Return when the lease is lost."""
        position = lease.position
        delays = Backoff(first=0.5, most=30).delays()
        while True:
            try:
                polled = await poller.poll(position)
                self._state.ready()
                delays = Backoff(first=0.5, most=30).delays()
                if not polled.updates:
                    continue
                await self._intake.store(self._connection, polled.updates)
                # Only now may the provider forget them: the next fetch confirms up to this position.
                if not await self._leases.advance(lease, polled.position):
                    return
                position = polled.position
            except ProviderError as error:
                self._state.failing(error.problem.value, HINTS.get(error.problem, "tried again by itself"))
                await self._reconnect(error)
                await asyncio.sleep(max(error.retry_after_seconds, next(delays)))
            except (InboundUnavailableError, RecordsUnavailableError) as error:
                _log.warning("updates_not_stored", channel=lease.channel, exc_info=error)
                await asyncio.sleep(next(delays))

    async def _reconnect(self, error: ProviderError) -> None:
        """A conflict is an old webhook, or another fetcher: the first is removed, the second is waited for."""
        if error.problem is not Problem.CONFLICT or self._connection.connector is None:
            return
        try:
            await self._connection.connector.connect(None)
        except ProviderError as failure:
            _log.info("reconnect_failed", channel=self._connection.channel, problem=failure.problem.value)
