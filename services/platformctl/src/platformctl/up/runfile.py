"""run.json: how other commands find a running platform. It names where secrets are kept and holds none."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

VERSION: Final = 1
# The start time is read back from the kernel with the clock's granularity.
SAME_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One part or service. `address` is host:port, `ready_url` its page that says whether it is ready, if any."""

    name: str
    state: str
    pid: int | None
    restarts: int
    address: str
    ready_url: str = ""


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a running platform says about itself. `external` names the parts that the user brought."""

    pid: int
    started_at: float
    url: str
    environment: str
    ports: dict[str, int]
    parts: list[PartEntry] = field(default_factory=list)
    external: list[str] = field(default_factory=list)
    model: dict[str, str] = field(default_factory=dict)
    secrets: str = ""
    logs: str = ""
    version: int = VERSION

    def write(self, path: Path) -> None:
        """Replace the file in one step, readable by its owner alone."""
        side = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(side, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(self), stream, indent=2)
            stream.write("\n")
        side.replace(path)

    def is_alive(self) -> bool:
        """True when the process that wrote it still runs; a process id that was given out again does not count."""
        return start_time(self.pid) is not None and abs((start_time(self.pid) or 0) - self.started_at) < SAME_SECONDS


def start_time(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None when there is none, or only its zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def read(path: Path) -> RunFile | None:
    """The file of a platform that runs now; None when there is none or it is a dead one's."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        record["parts"] = [PartEntry(**part) for part in record["parts"]]
        found = RunFile(**record)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.is_alive() else None
