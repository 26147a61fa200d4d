"""Containers of one test run: started as strictly as a cluster would, on a network of their own, removed at its end."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from support.cluster.programs import attempt, run

# What `restricted` pods get: no root, no capability, no new privilege, nothing to write to but /tmp.
STRICT = ("--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
LABEL = "coaching-platform-tests"


def engine_answers() -> bool:
    """Whether a container engine can be used here."""
    try:
        return attempt("docker", "version", seconds=20).status == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def until(what: str, check: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds; fails with its name."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.3)


def image_of(name: str) -> dict[str, Any]:
    """What the engine knows about an image; one that only a build has seen is fetched."""
    if attempt("docker", "image", "inspect", name).status:
        run("docker", "pull", "--quiet", name, seconds=600)
    found: list[dict[str, Any]] = json.loads(run("docker", "image", "inspect", name))
    return found[0]


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was started."""

    id: str

    def inspect(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", self.id))
        return found[0]

    def port(self, inside: int) -> int:
        """The port of 127.0.0.1 that leads to this one inside."""
        return int(run("docker", "port", self.id, str(inside)).splitlines()[0].rsplit(":", 1)[1])

    def execute(self, *words: str, user: str = "") -> str:
        return run("docker", "exec", *(("--user", user) if user else ()), self.id, *words)

    def says(self) -> str:
        done = attempt("docker", "logs", self.id)
        return done.out + done.err

    def running(self) -> bool:
        return bool(self.inspect()["State"]["Running"])

    def health(self) -> str:
        return str(self.inspect()["State"]["Health"]["Status"])

    def remove(self) -> None:
        run("docker", "rm", "--force", "--volumes", self.id)


@dataclass(slots=True)
class Yard:
    """Starts containers on one network; `clear` removes everything that it started."""

    network: str = field(default_factory=lambda: f"{LABEL}-{uuid4().hex[:8]}")
    _started: list[Container] = field(default_factory=list)

    def __post_init__(self) -> None:
        run("docker", "network", "create", self.network)

    def start(
        self, image: str, *arguments: str, name: str, env: dict[str, str] | None = None, ports: tuple[int, ...] = (),
        options: tuple[str, ...] = STRICT,
    ) -> Container:  # fmt: skip
        """Start one in the background; the others find it by its name."""
        words = ["docker", "run", "--detach", "--network", self.network, "--network-alias", name, *options]
        words += [word for key, value in (env or {}).items() for word in ("--env", f"{key}={value}")]
        words += [word for port in ports for word in ("--publish", f"127.0.0.1::{port}")]
        container = Container(run(*words, image, *arguments).strip())
        self._started.append(container)
        return container

    def once(
        self, image: str, *arguments: str, env: dict[str, str] | None = None, options: tuple[str, ...] = STRICT
    ) -> str:
        """Run one to its end and return what it printed."""
        words = ["docker", "run", "--rm", "--network", self.network, *options]
        words += [word for key, value in (env or {}).items() for word in ("--env", f"{key}={value}")]
        return run(*words, image, *arguments)

    def clear(self) -> None:
        for container in reversed(self._started):
            container.remove()
        run("docker", "network", "rm", self.network)
