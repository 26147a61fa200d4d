"""Keeps one program running: starts it, notices its end, starts it again with growing pauses."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kit.backoff import Backoff
from platformctl.parts.base import Launch, PartError
from platformctl.supervisor.child import Child, spawn
from platformctl.supervisor.logs import RotatingLog

# sysexits.h EX_CONFIG: a service ends with it when its settings are wrong; starting it again would not help.
EXIT_SETTINGS = 78


class State(StrEnum):
    """Where a program stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    STOPPED = "stopped"


class Program(Protocol):
    """What can be kept running; an embedded part fits as it is."""

    @property
    def name(self) -> str:
        """The word for it in messages and log files."""

    async def prepare(self) -> None:
        """Called before every start. Raises PartError."""

    def launch(self) -> Launch:
        """How to start it."""

    async def ready(self) -> bool:
        """Whether it answers; False while it is not up yet."""


class CannotStartError(Exception):
    """A program that never became ready; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often is waited, in seconds."""

    first_start_attempts: int = 3
    ready_seconds: float = 300.0
    poll_seconds: float = 0.1
    stable_seconds: float = 10.0  # ready for so long: its next end is a new story, and it is back at once
    first_delay_seconds: float = 0.5
    most_delay_seconds: float = 30.0

    def delays(self) -> Iterator[float]:
        """Pauses before each new start, growing."""
        return Backoff(first=self.first_delay_seconds, most=self.most_delay_seconds).delays()


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a program from outside."""

    name: str
    state: State
    pid: int | None
    restarts: int


class Keeper:
    """One program. `say` prints a line for a person; `changed` is called whenever the status is another one."""

    def __init__(
        self,
        program: Program,
        say: Callable[[str], None],
        changed: Callable[[], None],
        patience: Patience,
    ) -> None:
        self._program, self._say, self._changed, self._patience = program, say, changed, patience
        self._state, self._restarts = State.WAITING, 0
        self._child: Child | None = None
        self._log: RotatingLog | None = None
        self._was_ready = asyncio.Event()
        self._ready_since = math.inf
        self._refused: CannotStartError | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self._program.name

    def status(self) -> Status:
        """Where it stands now."""
        return Status(self.name, self._state, self._child.pid if self._child else None, self._restarts)

    async def start(self) -> None:
        """Start it and wait until it is ready; it is kept running from then on. Raises CannotStartError."""
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        ready = asyncio.create_task(self._was_ready.wait())
        try:
            done, _ = await asyncio.wait(
                {self._task, ready}, timeout=self._patience.ready_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
        if self._task in done:
            await self._task
        if self._refused:
            raise self._refused
        if not done:
            raise CannotStartError(
                f"{self.name} runs but did not become ready within {self._patience.ready_seconds:.0f} s"
                f"{self._because(self._last_error())}"
            )

    def give_up(self) -> None:
        """Start it no more and say no more about it; it runs on until stop()."""
        self._stopping.set()

    async def stop(self, force: asyncio.Event) -> None:
        """End it for good; `force` set means at once."""
        self.give_up()
        while self._task is not None and not self._task.done():
            if self._child is not None and not await self._child.stop(force) and not force.is_set():
                self._say(f"{self.name} did not stop in time and was killed")
            await asyncio.wait({self._task}, timeout=self._patience.poll_seconds)
        if self._task is not None and (error := self._task.exception()) is not None:
            self._say(f"{self.name} was not kept well: {error!r}")
        if self._log:
            self._log.close()
        self._to(State.STOPPED)

    async def _keep(self) -> None:
        delays, attempts = self._patience.delays(), 0
        while not self._stopping.is_set():
            status, why = await self._one_life()
            if self._stopping.is_set():
                return
            attempts += 1
            if not self._was_ready.is_set() and (
                status == EXIT_SETTINGS or attempts >= self._patience.first_start_attempts
            ):
                self._refused = CannotStartError(f"{self.name}: {why}{self._log_hint()}")
                self._to(State.STOPPED)
                return
            if time.monotonic() - self._ready_since > self._patience.stable_seconds:
                delays = self._patience.delays()
            delay = next(delays)
            self._restarts += 1
            self._to(State.WAITING)
            self._say(f"{self.name} {why}; starting it again in {delay:.1f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _one_life(self) -> tuple[int | None, str]:
        """Start it once and wait for its end; returns the exit status and the end in words."""
        began, self._ready_since = time.monotonic(), math.inf
        try:
            await self._program.prepare()
            launch = self._program.launch()
        except PartError as error:
            return None, f"cannot start: {error}"
        if self._stopping.is_set():
            return None, ""
        if self._log is None:
            self._log = RotatingLog(launch.log_path)
        self._log.forget()
        self._child = await spawn(launch, self._log)
        self._to(State.STARTING)
        watching = asyncio.create_task(self._watch_ready(began))
        try:
            status = await self._child.wait()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        self._child = None
        # What is killed from outside, or ends in order, has not said why: its last line is about something else.
        return status, f"ended {_in_words(status)}{self._because(self._last_error() if status > 0 else '')}"

    async def _watch_ready(self, began: float) -> None:
        while not await self._program.ready():  # noqa: ASYNC110 # another process cannot set our event
            await asyncio.sleep(self._patience.poll_seconds)
        if self._stopping.is_set():
            return
        self._to(State.READY)
        self._ready_since = time.monotonic()
        seconds = self._ready_since - began
        self._say(f"{self.name} {'is back' if self._was_ready.is_set() else 'started'} ({seconds:.1f} s)")
        self._was_ready.set()

    def _to(self, state: State) -> None:
        self._state = state
        self._changed()

    def _last_error(self) -> str:
        return self._log.last_error() if self._log else ""

    def _log_hint(self) -> str:
        return f"\n  its log: {self._log.path}" if self._log else ""

    @staticmethod
    def _because(error: str) -> str:
        return f": {error}" if error else ""


def _in_words(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"with status {status}"
