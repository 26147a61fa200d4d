"""Run a service and start it anew when a source of it has changed: `reload.py FOLDER COMMAND...`, for `skaffold dev`.

The service is told to stop as its pod would be, and drains. One that ends by itself before anything was changed ends
the container, whose restarts Kubernetes counts; after that it is tried again here, because a new container would be
without the changes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

from watchfiles import PythonFilter, awatch

DRAIN_SECONDS = 10.0
PAUSE_SECONDS = 5.0


async def stop(process: asyncio.subprocess.Process) -> int:
    """End the service gently, then by force; returns its status."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), DRAIN_SECONDS)
        except TimeoutError:
            process.kill()
    return await process.wait()


async def first(*waiting: asyncio.Future[object], seconds: float | None = None) -> None:
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def run(folder: str, command: list[str]) -> int:
    """Return the status that the container ends with."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    changes: AsyncIterator[object] = awatch(folder, watch_filter=PythonFilter(), debounce=200)
    asked: asyncio.Future[object] = asyncio.ensure_future(stopping.wait())
    changed: asyncio.Future[object] = asyncio.ensure_future(anext(changes))
    edited = False
    while True:
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        ended: asyncio.Future[object] = asyncio.ensure_future(process.wait())
        await first(asked, changed, ended)
        if ended.done() and edited and not changed.done() and not asked.done():
            print("The service has ended: it is tried again when a source changes, or soon.", flush=True)  # noqa: T201
            await first(asked, changed, seconds=PAUSE_SECONDS)
        status = await stop(process)
        if asked.done() or not (edited or changed.done()):
            return status if status >= 0 else 128 - status
        if changed.done():
            edited = True
            changed = asyncio.ensure_future(anext(changes))
            print("A source has changed: the service starts anew.", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(asyncio.run(run(sys.argv[1], sys.argv[2:])))
