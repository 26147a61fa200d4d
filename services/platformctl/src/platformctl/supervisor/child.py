"""One supervised process: started so that it dies with us, its output kept, its end awaited."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from platformctl.parts.base import Launch
from platformctl.supervisor.logs import RotatingLog

GUARD = Path(__file__).with_name("guard.py")
CHUNK_BYTES = 65536
# After the process has ended, what its forgotten children still hold of its output is not waited for longer.
OUTPUT_SECONDS = 1.0
KILL_SECONDS = 10.0


class Child:
    """A running process in its own session, so that Ctrl-C in the terminal reaches only us."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        launch: Launch,
        output: asyncio.StreamReader,
        transport: asyncio.ReadTransport,
        log: RotatingLog,
    ) -> None:
        self._process, self._launch, self._transport = process, launch, transport
        self._reading = asyncio.create_task(_copy(output, log))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for the end and for what was printed; returns the exit status, negative for a signal."""
        status = await self._process.wait()
        kill_group(self.pid)  # workers that it left behind
        done, _ = await asyncio.wait({self._reading}, timeout=OUTPUT_SECONDS)
        if not done:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._transport.close()
        return status

    async def stop(self, force: asyncio.Event) -> bool:
        """Ask it to end; kill it when it does not in its time or when `force` is set. True: it ended by itself."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(self._launch.stop_signal)
        ended = asyncio.create_task(self._process.wait())
        forced = asyncio.create_task(force.wait())
        await asyncio.wait({ended, forced}, timeout=self._launch.stop_seconds, return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if ended.done():
            return True
        kill_group(self.pid)
        await asyncio.wait({ended}, timeout=KILL_SECONDS)
        return False


def kill_group(pid: int) -> None:
    """Kill what is left of the process's own group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def guarded(
    command: tuple[str, ...], death: signal.Signals = signal.SIGKILL, identity: tuple[int, int] = (-1, -1)
) -> tuple[str, ...]:
    """The command as one that gets the signal `death` when this process dies; `identity` is its user and group."""
    numbers = (os.getpid(), int(death), *identity)
    return (sys.executable, "-I", "-S", str(GUARD), *map(str, numbers), *command)


async def spawn(launch: Launch, log: RotatingLog) -> Child:
    """Start the process of a launch; what cannot be executed ends at once with status 127 and says so in its log."""
    # A pipe of our own: asyncio's would make the end of the process wait for everyone who still holds its output.
    read_end, write_end = os.pipe()
    output = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(output), os.fdopen(read_end, "rb", 0)
    )
    try:
        process = await _execute(launch, write_end)
    except BaseException:
        transport.close()
        raise
    finally:
        os.close(write_end)
    return Child(process, launch, output, transport, log)


async def _execute(launch: Launch, output: int) -> asyncio.subprocess.Process:
    account = launch.account
    identity = (account.uid, account.gid) if account else (-1, -1)
    # PostgreSQL cleans up after a quit; everything else is simply gone, as after a power cut, which all of it survives.
    death = signal.SIGQUIT if launch.stop_signal is signal.SIGINT else signal.SIGKILL
    return await asyncio.create_subprocess_exec(
        *guarded(launch.command, death, identity),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=launch.cwd,
        env={"PATH": os.defpath, **launch.environment},
        start_new_session=True,
    )


async def _copy(output: asyncio.StreamReader, log: RotatingLog) -> None:
    while data := await output.read(CHUNK_BYTES):
        log.write(data)
