"""What the engine has read, kept in files: a returning person's prompt is restored instead of computed.

A file holds the tokens of a person's prompt and the engine's memory of them, so it is as private as a conversation:
only this user may read it, its name is a digest, and it is dropped when nobody returns.
"""

import hashlib
import os
import time
from pathlib import Path

SUFFIX = ".slot"
SECONDS_A_DAY = 86_400


class States:
    """Files of one folder, bounded in size and age; the least recently used go first."""

    def __init__(self, folder: Path, scope: str, max_bytes: int, max_days: int) -> None:
        """`scope` tells models and engines apart that cannot read each other's files."""
        self.folder = folder
        self._scope = scope
        self._max_bytes = max_bytes
        self._max_seconds = max_days * SECONDS_A_DAY

    def open(self) -> None:
        """Make the folder, and drop what an interrupted process left half written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for part in self.folder.glob("*.part"):
            part.unlink(missing_ok=True)
        self.prune()

    def name(self, kind: str, key: str) -> str:
        """Return the file name for a key; it tells nothing about the key."""
        return hashlib.sha256(f"{self._scope}\0{kind}\0{key}".encode()).hexdigest() + SUFFIX

    def has(self, name: str) -> bool:
        """Whether the state is there; if so it counts as used now."""
        try:
            os.utime(self.folder / name)
        except FileNotFoundError:
            return False
        return True

    def keep(self, part: str, name: str) -> None:
        """Put a completely written file in the place of the last one, then drop what is too much."""
        (self.folder / part).replace(self.folder / name)
        self.prune()

    def drop(self, name: str) -> None:
        """Forget a state, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def prune(self) -> None:
        """Drop what is too old, then the least recently used until the rest fits."""
        oldest = time.time() - self._max_seconds
        room = self._max_bytes
        found = [(path, path.stat()) for path in self.folder.glob(f"*{SUFFIX}")]
        for path, facts in sorted(found, key=lambda item: item[1].st_mtime, reverse=True):
            room -= facts.st_size
            if room < 0 or facts.st_mtime < oldest:
                path.unlink(missing_ok=True)
