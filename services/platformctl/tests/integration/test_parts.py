"""What every embedded server does alike: starts, survives being killed, stops, and never runs twice on one folder."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from platformctl.parts.base import Part, PartError
from platformctl.parts.leftover import living
from platformctl.parts.process import start
from platformctl.parts.registry import PARTS
from support.platform import living as alive
from support.platform import none_left
from support.ports import free_port


@pytest.fixture(params=sorted(PARTS))
def part(request: pytest.FixtureRequest, tmp_path: Path) -> Part:
    return PARTS[request.param](tmp_path / "data", free_port())


async def test_a_part_starts_from_nothing_answers_and_stops_without_leaving_a_process(part: Part) -> None:
    assert not await part.ready()
    running = await start(part)
    family = [psutil.Process(running.process.pid), *psutil.Process(running.process.pid).children(recursive=True)]
    assert await part.ready()
    assert await running.stop() == 0
    assert none_left(family) == []
    assert not await part.ready()


async def test_a_part_that_was_killed_starts_again_at_once(part: Part) -> None:
    running = await start(part)
    for _ in range(2):
        running.process.kill()
        await running.process.wait()
        running = await start(part)
        assert await part.ready()
    await running.stop()


async def test_a_part_listens_on_loopback_only(part: Part) -> None:
    running = await start(part)
    try:
        family = [psutil.Process(running.process.pid), *psutil.Process(running.process.pid).children(recursive=True)]
        listening = {
            connection.laddr.ip
            for process in alive(family)
            for connection in process.net_connections("all")
            if connection.status == psutil.CONN_LISTEN and connection.family != socket.AF_UNIX
        }
        assert listening == {"127.0.0.1"}
    finally:
        await running.stop()


async def test_a_second_start_on_the_same_data_is_refused_with_a_sentence(part: Part) -> None:
    running = await start(part)
    try:
        with pytest.raises(PartError, match=r"already running .* choose another data folder"):
            await start(part)
        assert await part.ready()
    finally:
        await running.stop()


async def test_what_a_killed_launcher_left_running_is_stopped_by_the_next_start(part: Part, tmp_path: Path) -> None:
    script = """
        import asyncio, os, sys
        from pathlib import Path
        from platformctl.parts.process import start
        from platformctl.parts.registry import PARTS

        async def main():
            running = await start(PARTS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3])))
            print(running.process.pid, flush=True)
            os.kill(os.getpid(), 9)

        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(script), part.name, str(tmp_path / "data"), str(part.port)]
    launcher = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, text=True, check=False)
    assert launcher.returncode == -signal.SIGKILL
    orphan = psutil.Process(int(launcher.stdout))
    assert await part.ready()

    running = await start(part)

    assert alive([orphan]) == []
    assert await part.ready()
    await running.stop()


async def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(part: Part) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", part.port))
        taken.listen()
        with pytest.raises(PartError, match=rf"{part.name} did not start .*(?s:.*)the whole log: "):
            await start(part)


async def test_the_password_is_generated_once_and_readable_by_its_owner_alone(part: Part, tmp_path: Path) -> None:
    first = part.url
    path = tmp_path / "data" / "secrets" / part.name
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_text().strip() in first
    assert part.url == first


async def test_no_password_stands_in_a_command_line_or_a_log(part: Part, tmp_path: Path) -> None:
    running = await start(part)
    word = (tmp_path / "data" / "secrets" / part.name).read_text().strip()
    shown = " ".join([*running.launched.command, *running.launched.environment.values()])
    await running.stop()
    assert word not in shown
    assert word not in running.launched.log_path.read_text()


def test_a_process_elsewhere_with_the_same_name_is_not_taken_for_ours(tmp_path: Path) -> None:
    other = subprocess.Popen(["/bin/sleep", "30"], cwd=os.sep)
    try:
        assert living("sleep", tmp_path) == []
        assert [process.pid for process in living("sleep", Path(os.sep)) if process.pid == other.pid] == [other.pid]
    finally:
        other.kill()
        other.wait()
