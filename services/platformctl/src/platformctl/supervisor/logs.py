"""Log files of supervised processes, bounded in size, and the last error that they hold."""

import json
import os
from collections import deque
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10_000_000
OLD_FILES = 3
LINES_REMEMBERED = 40
ERROR_CHARACTERS = 400
SEVERE = frozenset({"error", "critical", "fatal", "panic"})
TELLING_WORDS = ("fatal", "panic", "error", "cannot", "settings:")


class RotatingLog:
    """Appends what a process prints to a file, moves a full one to FILE.1 and so on, and keeps the last lines."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, old_files: int = OLD_FILES) -> None:
        self.path = path
        self._max_bytes, self._old_files = max_bytes, old_files
        self._tail: deque[str] = deque(maxlen=LINES_REMEMBERED)
        self._open_line = b""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._open()

    def _open(self) -> BinaryIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Append, rotating at a line's end so that no line is torn over two files."""
        *lines, self._open_line = (self._open_line + data).split(b"\n")
        self._tail.extend(line.decode(errors="replace") for line in lines)
        self._file.write(data)
        if self._file.tell() >= self._max_bytes and data.endswith(b"\n"):
            self._rotate()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._old_files - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self._open()

    def forget(self) -> None:
        """Start a new life of the process: what it printed before is not its last error."""
        self._tail.clear()
        self._open_line = b""

    def last_error(self) -> str:
        """The line that best says why the process ended, in one line; empty when it said nothing."""
        return last_error([*self._tail, self._open_line.decode(errors="replace")])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def last_error(lines: list[str]) -> str:
    """The last line that names an error, else the last plain one; a structured line counts only if it is severe."""
    told = [text for line in lines if (text := _severe_text(line) if _record(line) else line.strip())]
    named = [text for text in told if any(word in text.lower() for word in TELLING_WORDS)]
    best = (named or told or [""])[-1]
    return best if len(best) <= ERROR_CHARACTERS else f"{best[:ERROR_CHARACTERS]} …"


def _record(line: str) -> dict[str, object]:
    """A structured log line's members, and nothing for every other line."""
    try:
        record = json.loads(line) if line.lstrip().startswith("{") else None
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _severe_text(line: str) -> str:
    """What a structured line of severity error says, and "" for one of less."""
    record = _record(line)
    if str(record.get("level", "")).lower() not in SEVERE:
        return ""
    words = [str(record[key]) for key in ("event", "error", "reason", "problem") if record.get(key)]
    return f"error: {': '.join(words)}"
