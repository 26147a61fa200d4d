"""The life of `platformctl up`: start, wait for a signal, stop."""

import asyncio
import signal
import time
from collections.abc import Mapping

from platformctl.console import Console
from platformctl.up.platform import LocalPlatform
from platformctl.up.refusals import REFUSALS
from platformctl.up.settings import UpSettings

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# One Ctrl-C may come twice, from the terminal and from `make`; a person's second one comes later.
SAME_SIGNAL_SECONDS = 0.5
INTERRUPTED = 130


class Stop:
    """The wish to stop: the first signal asks, a later one insists."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.insisted = asyncio.Event()
        self._first = 0.0

    def signal(self) -> None:
        """Called for each signal."""
        if not self.asked.is_set():
            self._first = time.monotonic()
            self.asked.set()
        elif time.monotonic() - self._first > SAME_SIGNAL_SECONDS:
            self.insisted.set()


async def run(settings: UpSettings, environ: Mapping[str, str], console: Console) -> int:
    """Run a platform until a signal; returns the exit status: 0 after an orderly stop, 1 when it could not start."""
    stop = Stop()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.signal)
    platform = LocalPlatform(settings, environ, console)
    insisting = asyncio.create_task(_force(stop, platform))
    try:
        status = await _until_stopped(platform, stop, console)
    finally:
        await platform.stop()
        insisting.cancel()
    if status != 1:
        console.line("stopped")
    return status


async def _until_stopped(platform: LocalPlatform, stop: Stop, console: Console) -> int:
    starting = asyncio.create_task(platform.start())
    asked = asyncio.create_task(stop.asked.wait())
    await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        console.line("stopping before it was ready")
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return INTERRUPTED
    try:
        url = starting.result()
    except REFUSALS as error:
        console.line(f"Cannot start: {error}")
        asked.cancel()
        return 1
    console.line(f"Ready: {url}")
    await asked
    console.line("stopping (once more to force)")
    return 0


async def _force(stop: Stop, platform: LocalPlatform) -> None:
    await stop.insisted.wait()
    platform.supervisor.force()
