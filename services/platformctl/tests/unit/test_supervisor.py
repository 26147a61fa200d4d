"""The supervisor, with tiny programs that crash, hang and refuse to stop."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from platformctl.parts.base import Launch, PartError
from platformctl.supervisor.keeper import CannotStartError, Patience, State
from platformctl.supervisor.supervisor import Supervisor
from support.platform import none_left

QUICK = Patience(ready_seconds=60, poll_seconds=0.01, first_delay_seconds=0.02, most_delay_seconds=0.05)
TOUCH_AND_SLEEP = "open('up', 'w').close(); print('hello', flush=True); time.sleep(600)"


@dataclass
class Fake:
    """A program written in a line or two of Python; it is ready when it has made the file `up`."""

    folder: Path
    code: str = TOUCH_AND_SLEEP
    name: str = "fake"
    stop_seconds: float = 5
    prepared: int = 0
    broken: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    async def prepare(self) -> None:
        self.prepared += 1
        (self.folder / "up").unlink(missing_ok=True)
        if self.broken:
            raise PartError(self.broken)

    def launch(self) -> Launch:
        code = "import os, signal, sys, time, subprocess\n" + textwrap.dedent(self.code)
        return Launch(
            command=(sys.executable, "-c", code),
            log_path=self.folder / f"{self.name}.log",
            cwd=self.folder,
            environment=self.environment,
            stop_seconds=self.stop_seconds,
        )

    async def ready(self) -> bool:
        return (self.folder / "up").exists()


class Platform:
    """A supervisor with what it said."""

    def __init__(self, patience: Patience = QUICK) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor(self.said.append, patience=patience)

    @property
    def pid(self) -> int:
        (status,) = self.supervisor.statuses()
        assert status.pid is not None
        return status.pid

    async def until(self, words: str, times: int = 1, seconds: float = 60) -> str:
        end = time.monotonic() + seconds
        while len(found := [line for line in self.said if words in line]) < times:  # a list has no event
            assert time.monotonic() < end, f"{words!r} was not said: {self.said}"
            await asyncio.sleep(0.01)
        return found[0]


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    platform = Platform()
    yield platform
    platform.supervisor.force()
    await platform.supervisor.stop()


async def test_a_program_is_started_and_stopped_and_nothing_stays(platform: Platform, tmp_path: Path) -> None:
    await platform.supervisor.start([Fake(tmp_path)])
    pid = platform.pid
    assert platform.said[0].startswith("fake started")
    await platform.supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert platform.supervisor.statuses()[0].state is State.STOPPED
    assert (tmp_path / "fake.log").read_text() == "hello\n"


async def test_a_program_that_dies_is_started_again_and_a_line_says_why(platform: Platform, tmp_path: Path) -> None:
    ends = "signal.signal(signal.SIGUSR1, lambda *_: sys.exit('error: no room'));"
    await platform.supervisor.start([Fake(tmp_path, code=ends + TOUCH_AND_SLEEP)])
    first = platform.pid
    os.kill(first, signal.SIGUSR1)
    line = await platform.until("starting it again")
    assert "fake ended with status 1: error: no room; starting" in line
    await platform.until("is back")
    assert platform.pid != first
    assert platform.supervisor.statuses()[0].restarts == 1


async def test_what_was_ready_for_a_while_is_started_again_as_fast_as_the_first_time(tmp_path: Path) -> None:
    platform = Platform(Patience(poll_seconds=0.01, first_delay_seconds=0.2, stable_seconds=0.3))
    await platform.supervisor.start([Fake(tmp_path)])
    for lives in range(1, 4):
        await asyncio.sleep(0.5)
        os.kill(platform.pid, signal.SIGKILL)
        await platform.until("is back", lives)
    await platform.supervisor.stop()
    assert [line.rpartition(" in ")[2] for line in platform.said if "starting it again" in line] == ["0.2 s"] * 3


async def test_the_log_of_what_was_killed_is_not_quoted_as_the_cause(platform: Platform, tmp_path: Path) -> None:
    await platform.supervisor.start(
        [Fake(tmp_path, code="print('error: of an hour ago', flush=True);" + TOUCH_AND_SLEEP)]
    )
    os.kill(platform.pid, signal.SIGKILL)
    assert "fake ended by signal 9; starting it again" in await platform.until("starting it again")


async def test_a_program_that_crashes_at_once_cannot_start(platform: Platform, tmp_path: Path) -> None:
    fake = Fake(tmp_path, code="sys.exit('the port is busy')")
    with pytest.raises(CannotStartError, match=r"fake: ended with status 1: the port is busy\n.*its log: "):
        await platform.supervisor.start([fake])
    assert fake.prepared == QUICK.first_start_attempts


async def test_wrong_settings_are_not_tried_again(platform: Platform, tmp_path: Path) -> None:
    fake = Fake(tmp_path, code="print('fake: settings: PORT: must be a number', flush=True); sys.exit(78)")
    with pytest.raises(CannotStartError, match="PORT: must be a number"):
        await platform.supervisor.start([fake])
    assert fake.prepared == 1


async def test_a_part_that_cannot_be_prepared_says_why(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(CannotStartError, match="belongs to another user"):
        await platform.supervisor.start([Fake(tmp_path, broken="the folder belongs to another user")])


async def test_a_program_that_does_not_exist_says_so(platform: Platform, tmp_path: Path) -> None:
    class Missing(Fake):
        def launch(self) -> Launch:
            return Launch(command=("/nonexistent/server",), log_path=self.folder / "x.log", cwd=self.folder)

    with pytest.raises(CannotStartError, match="cannot execute /nonexistent/server"):
        await platform.supervisor.start([Missing(tmp_path)])


async def test_a_program_that_never_becomes_ready_cannot_start(tmp_path: Path) -> None:
    class Loading(Fake):
        def launch(self) -> Launch:
            shell = ("/bin/sh", "-c", "echo still loading; exec sleep 600")  # speaks at once, unlike Python
            return Launch(command=shell, log_path=self.folder / "x.log", cwd=self.folder)

    platform = Platform(Patience(ready_seconds=2, poll_seconds=0.01))
    with pytest.raises(CannotStartError, match=r"fake runs but did not become ready within 2 s: still loading"):
        await platform.supervisor.start([Loading(tmp_path)])
    await platform.supervisor.stop()


async def test_a_program_that_ignores_sigterm_is_killed(platform: Platform, tmp_path: Path) -> None:
    code = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {TOUCH_AND_SLEEP}"
    await platform.supervisor.start([Fake(tmp_path, code=code, stop_seconds=0.2)])
    pid = platform.pid
    await platform.supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert "fake did not stop in time and was killed" in platform.said


async def test_force_does_not_wait(platform: Platform, tmp_path: Path) -> None:
    code = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {TOUCH_AND_SLEEP}"
    await platform.supervisor.start([Fake(tmp_path, code=code, stop_seconds=60)])
    began = time.monotonic()
    stopping = asyncio.create_task(platform.supervisor.stop())
    await asyncio.sleep(0.1)
    platform.supervisor.force()
    await stopping
    assert time.monotonic() - began < 30


async def test_programs_stop_in_reverse_order(platform: Platform, tmp_path: Path) -> None:
    order = tmp_path / "order"
    fakes = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        code = f"""
            def end(*_):
                print('{name}', file=open({str(order)!r}, 'a'))
                sys.exit(0)
            signal.signal(signal.SIGTERM, end)
            {TOUCH_AND_SLEEP}
        """
        fakes.append(Fake(tmp_path / name, code=code, name=name))
    for fake in fakes:
        await platform.supervisor.start([fake])
    await platform.supervisor.stop()
    assert order.read_text().split() == ["second", "first"]


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted only on Linux")
async def test_workers_that_left_the_group_are_ended_too(platform: Platform, tmp_path: Path) -> None:
    code = f"""
        worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)
        open('worker', 'w').write(str(worker.pid))
        {TOUCH_AND_SLEEP}
    """
    await platform.supervisor.start([Fake(tmp_path, code=code)])
    worker = int((tmp_path / "worker").read_text())
    await platform.supervisor.stop()
    assert not psutil.pid_exists(worker)


async def test_programs_of_one_kind_stop_together(platform: Platform, tmp_path: Path) -> None:
    names = ("store", "one", "one-2", "door")
    code = "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1), open('down', 'w').close(), sys.exit(0)));"
    programs = []
    for name in names:
        (tmp_path / name).mkdir()
        programs.append(Fake(tmp_path / name, code=code + TOUCH_AND_SLEEP, name=name))
    await platform.supervisor.start(programs, {"one": "one", "one-2": "one"})
    await platform.supervisor.stop()
    store, one, other, door = ((tmp_path / name / "down").stat().st_mtime for name in names)
    assert door < min(one, other)
    assert max(one, other) < store
    assert abs(one - other) < 1  # one after the other they would be a second apart


async def test_a_stop_in_the_middle_of_a_start_leaves_nothing(platform: Platform, tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    starting = asyncio.create_task(platform.supervisor.start([Fake(tmp_path, code="time.sleep(600)")]))
    await asyncio.sleep(0.05)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await platform.supervisor.stop()
    assert platform.supervisor.statuses()[0].state is State.STOPPED
    assert set(psutil.Process().children()) <= before


async def test_what_else_this_process_started_is_left_alone(platform: Platform, tmp_path: Path) -> None:
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(600)")
    await platform.supervisor.start([Fake(tmp_path)])
    await platform.supervisor.stop()
    assert psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE
    other.kill()
    await other.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
async def test_nothing_survives_a_kill_of_the_supervisor(tmp_path: Path) -> None:
    keeper = f"""
        import asyncio, sys
        sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}
        from pathlib import Path
        from test_supervisor import Fake, Platform, TOUCH_AND_SLEEP
        async def main():
            code = "signal.signal(signal.SIGTERM, signal.SIG_IGN); " + TOUCH_AND_SLEEP
            platform = Platform()
            await platform.supervisor.start([Fake(Path({str(tmp_path)!r}), code=code)])
            print(platform.pid, flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(keeper), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    part = psutil.Process(int(await asyncio.wait_for(process.stdout.readline(), 60)))
    process.kill()
    await process.wait()
    assert await asyncio.to_thread(none_left, [part], 30) == []
