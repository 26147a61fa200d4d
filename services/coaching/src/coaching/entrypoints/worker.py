"""The worker: claims conversations that wait, walks their turns side by side, keeps their leases."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from coaching.app.ports import Claims, StoreRefusedError, StoreUnavailableError, Turns
from coaching.domain.turn import Claim, OpenedTurn, TurnRecord
from coaching.metrics import TURN_SECONDS, TURNS, TURNS_OPEN
from kit import faultpoints, log, tracing
from kit.backoff import Backoff
from kit.clock import Clock

TURNS_PER_WORKER = 16  # a turn mostly waits for the model
CLAIM_AT_ONCE = 64
GATHER_SECONDS = 0.01
GRACE_SECONDS = 30.0  # for the record of a turn whose database is away for a moment
RELEASE_TRIES = 5
_log = log.get_logger("coaching.worker")


class Worker:
    """Walks up to MAX_WORKERS times 16 turns at once in this process."""

    def __init__(  # noqa: PLR0913  # what it is made of, all named
        self,
        claims: Claims,
        turns: Turns,
        take_turn: Callable[[OpenedTurn], Awaitable[TurnRecord | None]],
        recorded: Callable[[], None],
        clock: Clock,
        *,
        max_workers: int,
        lease_seconds: float,
        turn_seconds: float,
        poll_seconds: float = 0.5,
    ) -> None:
        self._claims = claims
        self._turns = turns
        self._take_turn = take_turn
        self._recorded = recorded
        self._clock = clock
        self._capacity = max_workers * TURNS_PER_WORKER
        self._lease_seconds = lease_seconds
        self._turn_seconds = turn_seconds
        self._poll_seconds = poll_seconds
        self._running: dict[Claim, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def wake(self, after_seconds: float = 0.0) -> None:
        """Say that there is, or soon will be, a conversation to answer."""
        if after_seconds > 0:
            # A little later than the database's clock says, so that the one look finds it.
            asyncio.get_running_loop().call_later(after_seconds + 0.01, self._wake.set)
        else:
            self._wake.set()

    def ahead(self) -> int:
        """Return how many turns a new one would wait behind; 0 where it could begin at once."""
        return len(self._running) if len(self._running) >= self._capacity else 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Claim and walk turns until `stopping`; turns in progress are finished or, when cancelled, given back."""
        beat = asyncio.create_task(self._keep_leases(), name="leases")
        try:
            delays = Backoff(first=0.2, most=5).delays()
            while not stopping.is_set():
                self._wake.clear()
                try:
                    claimed = await self._claim()
                except StoreUnavailableError as error:
                    _log.warning("claim_failed", exc_info=error)
                    await self._rest(stopping, next(delays))
                    continue
                delays = Backoff(first=0.2, most=5).delays()
                if not claimed or len(self._running) >= self._capacity:
                    await self._rest(stopping, self._poll_seconds)
            await self._finish()
        finally:
            beat.cancel()
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(beat, *self._running.values(), return_exceptions=True)

    async def _finish(self) -> None:
        if self._running:
            _ = await asyncio.wait(list(self._running.values()))

    async def _claim(self) -> int:
        free = min(self._capacity - len(self._running), CLAIM_AT_ONCE)
        if free <= 0:
            return 0
        claims = await self._claims.claim(free)
        if not claims:
            return 0
        faultpoints.reached("after_turn_claim")
        opened = await self._opened(claims)
        for turn in opened:
            self._end_earlier(turn.claim)
            task = asyncio.create_task(self._walk(turn), name="turn")
            self._running[turn.claim] = task
            task.add_done_callback(lambda _, claim=turn.claim: self._ended(claim))  # type: ignore[misc]  # mypy cannot type a lambda's default
        return len(claims)

    def _end_earlier(self, claim: Claim) -> None:
        """Stop our own turn of the same conversation: a message of danger has cut in."""
        for other, task in self._running.items():
            if other.conversation_id == claim.conversation_id:
                task.cancel()

    async def _opened(self, claims: Sequence[Claim]) -> list[OpenedTurn]:
        try:
            return await self._turns.open(claims)
        except StoreRefusedError as error:
            _log.error("open_refused", exc_info=error)
            for claim in claims:
                await self._give_back(claim, 5.0, failed=True)
            return []

    def _ended(self, claim: Claim) -> None:
        self._running.pop(claim, None)
        TURNS_OPEN.set(len(self._running))
        self._wake.set()

    async def _walk(self, opened: OpenedTurn) -> None:
        TURNS_OPEN.set(len(self._running))
        begun = self._clock.monotonic()
        came_with = {"traceparent": opened.messages[-1].trace if opened.messages else ""}
        with tracing.continued(came_with), tracing.span("turn", turn_id=opened.turn_id):
            try:
                async with asyncio.timeout(self._turn_seconds + GRACE_SECONDS):
                    record = await self._take_turn(opened)
            except asyncio.CancelledError:
                # Stopping, or the lease is lost: whoever claims next may begin at once.
                await asyncio.shield(self._give_back(opened.claim, 0.0, failed=False))
                raise
            except Exception:  # noqa: BLE001  # the loop's edge: whatever it was is logged, and the turn tried again
                _log.exception("turn_failed", turn_id=opened.turn_id)
                TURNS.labels("none", "failed").inc()
                delay = min(0.5 * 2**opened.conversation.attempts, 60.0)
                await self._give_back(opened.claim, delay, failed=True)
                return
        self._count(record, self._clock.monotonic() - begun)

    def _count(self, record: TurnRecord | None, seconds: float) -> None:
        if record is None:
            TURNS.labels("none", "claim_lost").inc()
            return
        self._recorded()
        reply = record.reply
        TURNS.labels(reply.source.value, reply.failure.value if reply.failure else "ok").inc()
        TURN_SECONDS.labels(reply.source.value).observe(seconds)
        _log.info("turn_recorded", turn_id=record.opened.turn_id, source=reply.source.value, seconds=round(seconds, 3))

    async def _give_back(self, claim: Claim, delay_seconds: float, *, failed: bool) -> None:
        for _, pause in zip(range(RELEASE_TRIES), Backoff(first=0.2, most=3).delays(), strict=False):
            try:
                await self._claims.release(claim, delay_seconds, failed=failed)
            except StoreUnavailableError as error:
                # If it never works, the lease ends by itself.
                _log.warning("release_failed", exc_info=error)
                await asyncio.sleep(pause)
            else:
                return

    async def _keep_leases(self) -> None:
        """Extend all leases every third of their time; a turn whose lease is lost is stopped."""
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            ours = list(self._running)
            if not ours:
                continue
            try:
                kept = await self._claims.extend(ours)
            except StoreUnavailableError as error:
                _log.warning("extend_failed", exc_info=error)
                continue
            for claim in ours:
                if claim not in kept and claim in self._running:
                    self._running[claim].cancel()

    async def _rest(self, stopping: asyncio.Event, seconds: float) -> None:
        waits = {asyncio.create_task(self._wake.wait()), asyncio.create_task(stopping.wait())}
        _, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        # Turns end together, since their records are written together: then one claim takes the next ones together.
        await asyncio.sleep(GATHER_SECONDS)
