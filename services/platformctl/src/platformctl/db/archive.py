"""A folder of backups: what counts as one, how one comes in, and which ones leave."""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platformctl.db.contents import Contents
from platformctl.db.errors import DatabaseError

# The name of what is being written, is not verified yet, or was left by a process that was killed.
UNFINISHED = ".unfinished-"
_NAME = re.compile(r"coaching-\d{8}T\d{6}Z-\w+-[0-9a-f]{6}")
READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """One verified backup: `dump` in pg_dump's custom format, and beside it what it holds."""

    dump: Path
    manifest: Path
    size: int


class Archive:
    """Backups in one folder. Only a dump with its manifest, of the size that it names, counts as one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self) -> Path:
        """Make the folder if need be, remove what killed runs left, and name the file to write. Raises DatabaseError.

        Only one backup of a database runs at a time (see backup.py), hence nobody still writes what is removed.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._left_over():
                left.unlink()
            path = self.folder / f"{UNFINISHED}{os.getpid()}.dump"
            path.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise DatabaseError(f"Backups cannot be written to {self.folder}: {error.strerror}.") from None
        return path

    def accept(self, unfinished: Path, name: str, told: dict[str, object]) -> Backup:
        """Give a verified dump its name; its manifest, written last, makes it count."""
        size, digest = unfinished.stat().st_size, _digest(unfinished)
        dump, manifest = self.folder / f"{name}.dump", self.folder / f"{name}.json"
        side = self.folder / f"{UNFINISHED}{os.getpid()}.json"
        try:
            _sync(unfinished)
            unfinished.rename(dump)
            record = {"format": 1, "dump": dump.name, "bytes": size, "sha256": digest, **told}
            side.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            _sync(side)
            side.rename(manifest)
            _sync(self.folder)
        except OSError as error:
            raise DatabaseError(f"The backup cannot be kept in {self.folder}: {error.strerror}.") from None
        return Backup(dump, manifest, size)

    def backups(self) -> list[Backup]:
        """Those that count, oldest first."""
        found = []
        for manifest in sorted(self.folder.glob("coaching-*.json")):
            dump = manifest.with_suffix(".dump")
            if _NAME.fullmatch(manifest.stem) and dump.is_file() and _size_told(manifest) == dump.stat().st_size:
                found.append(Backup(dump, manifest, dump.stat().st_size))
        return found

    def leaving(self, keep: int) -> list[Backup]:
        """Those that would leave if one more came in and `keep` were to stay."""
        found = self.backups()
        return found[: max(0, len(found) - (keep - 1))]

    def evict(self, keep: int, newest: Backup) -> list[Path]:
        """Remove all but the `keep` newest that count; never `newest`, which was verified a moment ago."""
        found = [backup for backup in self.backups() if backup != newest]
        gone = found[: max(0, len(found) - (keep - 1))]
        for backup in gone:
            backup.manifest.unlink()
            backup.dump.unlink()
        return [backup.dump for backup in gone]

    def _left_over(self) -> list[Path]:
        """What was never verified; a dump that got its name but no manifest was, and stays for a person to look at."""
        return [path for path in self.folder.glob(f"{UNFINISHED}*") if path.is_file()]


def name_of(at: datetime, revision: str | None, token: str) -> str:
    """The name of a backup: names in order are backups in the order of time."""
    return f"coaching-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{revision or 'empty'}-{token}"


def told_of(contents: Contents) -> dict[str, object]:
    """The tables as the manifest names them."""
    return {name: {"rows": table.rows, "checksum": table.checksum} for name, table in contents.tables.items()}


def _size_told(manifest: Path) -> int | None:
    try:
        record = json.loads(manifest.read_text(encoding="utf-8"))
        return int(record["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
