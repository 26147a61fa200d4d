"""What the engine has read, kept in files: a returning person's prompt is restored instead of computed.

A file holds the tokens of a person's prompt and the engine's memory of them, so it is as private as a conversation:
only this user may read it, its name is a digest, and it is dropped when nobody returns.
"""

import hashlib
import os
import time
import zlib
from pathlib import Path

SUFFIX = ".slot"
CHECKED_BYTES = 1 << 20
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

    def stem(self, kind: str, key: str) -> str:
        """Return the beginning of the file's name for a key; it tells nothing about the key."""
        return hashlib.sha256(f"{self._scope}\0{kind}\0{key}".encode()).hexdigest()

    def find(self, stem: str) -> str | None:
        """Return the file's name if its content is what was written; it counts as used now. Reads the whole file.

        A damaged one is dropped: the engine would not refuse it but end the process.
        """
        for path in self.folder.glob(f"{stem}.*{SUFFIX}"):
            if path.suffixes[0] == f".{_checksum(path)}":
                os.utime(path)
                return path.name
            path.unlink()
        return None

    def keep(self, part: str, stem: str) -> None:
        """Put a completely written file in the place of the last one, then drop what is too much."""
        last = list(self.folder.glob(f"{stem}.*{SUFFIX}"))
        written = self.folder / part
        kept = written.replace(self.folder / f"{stem}.{_checksum(written)}{SUFFIX}")
        for path in last:
            if path != kept:
                path.unlink(missing_ok=True)
        self.prune()

    def drop(self, stem: str) -> None:
        """Forget a state, if it is there."""
        for path in self.folder.glob(f"{stem}.*{SUFFIX}"):
            path.unlink(missing_ok=True)

    def prune(self) -> None:
        """Drop what is too old, then the least recently used until the rest fits."""
        oldest = time.time() - self._max_seconds
        room = self._max_bytes
        found = [(path, path.stat()) for path in self.folder.glob(f"*{SUFFIX}")]
        for path, facts in sorted(found, key=lambda item: item[1].st_mtime, reverse=True):
            room -= facts.st_size
            if room < 0 or facts.st_mtime < oldest:
                path.unlink(missing_ok=True)


def _checksum(path: Path) -> str:
    """Against damage, not against malice: CRC-32 runs at memory speed."""
    value = 0
    with path.open("rb") as stream:
        while block := stream.read(CHECKED_BYTES):
            value = zlib.crc32(block, value)
    return f"{value:08x}"
