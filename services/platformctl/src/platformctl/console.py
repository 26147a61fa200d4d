"""What a person reads while a command works: plain lines, and a bar that is drawn only on a terminal."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import IO, Protocol

from rich.console import Console as RichConsole
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

# Nobody should wonder for longer than this whether something still happens.
SILENCE_SECONDS = 10.0
PERCENT_STEP = 5
MEGABYTE = 1_000_000


class Bar(Protocol):
    """Progress of one long piece of work, in bytes."""

    def at(self, done: int) -> None:
        """Say how many bytes are there by now."""


class Console:
    """Writes lines to one stream; a reader that went away does not stop the work."""

    def __init__(self, stream: IO[str] | None = None, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._stream = stream or sys.stdout
        self._silence_seconds = silence_seconds
        self._terminal = self._stream.isatty()

    def line(self, text: str) -> None:
        """Print one line at once."""
        with suppress(OSError, ValueError):  # a closed pipe or stream
            self._stream.write(f"{text}\n")
            self._stream.flush()

    @asynccontextmanager
    async def working(self, label: str) -> AsyncIterator[None]:
        """While the body runs, say every few seconds that `label` still goes on."""
        task = asyncio.create_task(self._repeat(label, time.monotonic()))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _repeat(self, label: str, since: float) -> None:
        while True:
            await asyncio.sleep(self._silence_seconds)
            self.line(f"  still {label} ({time.monotonic() - since:.0f} s)")

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Bar]:
        """Show the progress of `label` up to `total` bytes."""
        if not self._terminal:
            yield PlainBar(self, label, total, self._silence_seconds)
            return
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=RichConsole(file=self._stream)) as progress:
            yield RichBar(progress, label, total)


class PlainBar:
    """A line at every few percent and whenever it has been quiet for a while."""

    def __init__(self, console: Console, label: str, total: int, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._console, self._label, self._total = console, label, max(total, 1)
        self._silence_seconds = silence_seconds
        self._step = -1
        self._said_at = time.monotonic()

    def at(self, done: int) -> None:
        percent = min(100, done * 100 // self._total)
        step = percent // PERCENT_STEP
        if step <= self._step and time.monotonic() - self._said_at < self._silence_seconds:
            return
        self._step, self._said_at = max(step, self._step), time.monotonic()
        done_mb, total_mb = min(done, self._total) // MEGABYTE, self._total // MEGABYTE
        self._console.line(f"  {self._label}: {percent} % ({done_mb} of {total_mb} MB)")


class RichBar:
    """The same on a terminal."""

    def __init__(self, progress: Progress, label: str, total: int) -> None:
        self._progress, self._total = progress, total
        self._task = progress.add_task(label, total=total)

    def at(self, done: int) -> None:
        self._progress.update(self._task, completed=min(done, self._total))
