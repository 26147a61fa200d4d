"""The folder of one platform: its format, its lock, what is where in it."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import IO, Final

FORMAT: Final = 1
# How to bring a folder from one format to the next, by the older one. A format that is not here is refused.
MIGRATIONS: Final[dict[int, Callable[[Path], None]]] = {}
# Nothing of a file system's own counts as somebody's data.
IGNORED: Final = frozenset({"lost+found", ".DS_Store"})


class DataError(Exception):
    """The data folder cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside the folder. Parts and services have folders of their own names beside these."""

    path: Path

    @property
    def run_file(self) -> Path:
        """What a running platform writes for other commands."""
        return self.path / "run.json"

    @property
    def logs(self) -> Path:
        """One log file for each part and service."""
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """Generated passwords and keys, one file each."""
        return self.path / "secrets"

    @property
    def chat_session(self) -> Path:
        """The guest session of `platformctl chat`."""
        return self.path / "chat-session.json"

    @property
    def format_file(self) -> Path:
        """The number of the folder's format; without it the folder is not ours."""
        return self.path / "format"

    @property
    def lock_file(self) -> Path:
        """What the running platform holds locked; its process id is in it."""
        return self.path / "lock"

    def open(self) -> tuple[Path, ...]:
        """Make the folder, or check that it is ours and bring it to this format. Raises DataError.

        Returns what was not there before, the innermost first.
        """
        try:
            made = tuple(path for path in (self.format_file, self.path, *self.path.parents) if not path.exists())
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_format()
        except NotADirectoryError:
            raise DataError(f"DATA names {self.path}, which is not a folder. Choose another with DATA=.") from None
        except FileExistsError:
            raise DataError(f"DATA names {self.path}, which is not a folder. Choose another with DATA=.") from None
        except OSError as error:
            raise DataError(
                f"The data folder {self.path} cannot be written: {error.strerror}. "
                "Give yourself the right to write there, or choose another with DATA=."
            ) from error
        return made

    def undo(self, made: tuple[Path, ...]) -> None:
        """Remove what open() made, if nothing came into the folder since. Call it while the lock is held."""
        marks = {self.format_file, self.lock_file}
        if self.format_file not in made or not marks.issuperset(self.path.iterdir()):
            return
        self.lock_file.unlink(missing_ok=True)
        with suppress(OSError):  # a folder that got something else meanwhile stays
            for path in made:
                path.rmdir() if path.is_dir() else path.unlink()

    def _check_format(self) -> None:
        file = self.format_file
        if not file.exists():
            foreign = sorted(entry.name for entry in self.path.iterdir() if entry.name not in IGNORED)
            if foreign:
                raise DataError(
                    f"The folder {self.path} holds something else ({foreign[0]}) and no data of this platform. "
                    "Choose an empty or a new folder with DATA=."
                )
            file.write_text(f"{FORMAT}\n", encoding="ascii")
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
        self._migrate(file)

    def _migrate(self, file: Path) -> None:
        found = _number(file.read_text(encoding="utf-8", errors="replace"))
        if found is None or found > FORMAT:
            raise DataError(
                f"The data in {self.path} was written by a newer version of the platform (format {found or 'unknown'}; "
                f"this version knows {FORMAT}). Start that version, or choose another folder with DATA=."
            )
        while found < FORMAT:
            if found not in MIGRATIONS:
                raise DataError(
                    f"The data in {self.path} has format {found}, which this version can no longer bring to {FORMAT}. "
                    "Start a version in between once, or choose another folder with DATA=."
                )
            MIGRATIONS[found](self.path)
            found += 1
            file.write_text(f"{found}\n", encoding="ascii")

    def lock(self) -> IO[str]:
        """Hold the folder until the returned file is closed. Raises DataError when another process holds it."""
        file = self.lock_file.open("a+", encoding="ascii")
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise DataError(
                f"A platform already runs on {self.path} as process {holder}. Stop it with "
                f"`platformctl down --data {self.path}`, or start a second one beside it with another DATA= and PORT=."
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file

    def holder(self) -> int | None:
        """The process that holds the folder now, ready or not."""
        try:
            with self.lock_file.open(encoding="ascii") as file:
                try:
                    flock(file, LOCK_SH | LOCK_NB)
                except BlockingIOError:
                    return _number(file.read())
        except OSError:
            return None
        return None


def _number(text: str) -> int | None:
    return int(text) if text.strip().isascii() and text.strip().isdigit() else None
