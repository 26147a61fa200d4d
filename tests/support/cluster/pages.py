"""The commands of a page of docs/operations, run as they are written.

A block of ```sh is run in one shell, in order, in a copy of the checkout, and must end well. ```sh setup sets
variables, in whose place the test has its own; ```sh background is something that runs until the page is done.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.cluster.checkout import copied
from support.cluster.place import Place
from support.cluster.programs import attempt
from support.cluster.release import Release
from support.ports import free_port
from support.tree import ROOT

PROMISED = {"install.md", "upgrade.md", "rollback.md", "configure.md", "scale.md", "uninstall.md"}
BLOCK = re.compile(r"^```(sh[a-z ]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SECONDS = 900.0
# What starts, stops or changes something: such blocks are left out where somebody only looks.
CHANGES = re.compile(
    r"helm (install|upgrade|rollback|uninstall|test)|make images|docker |scale-(down|up)|cluster wait"
    r"|kubectl .*\b(create|label|delete|patch|exec|rollout)\b"
)
SHOWN = 3000


@dataclass(frozen=True, slots=True)
class Block:
    """One block of commands; `under`: the heading above it."""

    kind: str
    text: str
    under: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page."""
    found = []
    for match in BLOCK.finditer(page):
        headings = HEADING.findall(page[: match.start()])
        found.append(Block(match[1].removeprefix("sh").strip(), match[2], headings[-1] if headings else ""))
    return found


@dataclass(slots=True)
class Reader:
    """Somebody who follows the pages, in one folder; `replaced`: what of their texts is another here."""

    folder: Path
    env: dict[str, str]
    replaced: Mapping[str, str]
    done: list[str] = field(default_factory=list)

    def follow(self, page: str, *, only_look: bool = False) -> str:
        """Run a page's commands; return what the first one that failed said, "" when all went well."""
        with ExitStack() as stack:
            for block in blocks((ROOT / "docs/operations" / page).read_text()):
                text = block.text
                if only_look and CHANGES.search(text):
                    continue
                for old, new in self.replaced.items():
                    text = text.replace(old, new)
                if block.kind == "background":
                    stack.enter_context(self._running(text))
                elif block.kind != "setup" and (trouble := self._run(text)):
                    return f"{page}, {block.under}:\n{text}\n{trouble}"
                self.done.extend(line for line in text.splitlines() if line.strip())
        return ""

    def _run(self, text: str) -> str:
        script = f"set -euo pipefail\n{text}"
        done = attempt("bash", "-c", script, seconds=SECONDS, env=self.env, folder=self.folder)
        return "" if done.status == 0 else f"ended with {done.status}:\n{(done.out + done.err)[-SHOWN:]}"

    @contextmanager
    def _running(self, text: str) -> Iterator[None]:
        process = subprocess.Popen(
            ["bash", "-c", text], cwd=self.folder, env={**os.environ, **self.env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def reader_of(release: Release, place: Place, tag: str, folder: Path) -> tuple[Reader, dict[str, str]]:
    """Return a reader in a copy of the checkout, who means this release and these images, and his variables."""
    copied(folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    port = free_port()
    env = {
        "NAMESPACE": release.kube.namespace, "RELEASE": release.name, "REGISTRY": place.registry, "VERSION": tag,
        "PATH": f"{folder}/.venv/bin:{os.environ['PATH']}",
    }  # fmt: skip
    return Reader(folder, env, {"8080:8080": f"{port}:8080", "localhost:8080": f"localhost:{port}"}), env
