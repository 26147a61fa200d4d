"""The folder where fetched models are kept, outside the checkout and shared by all platforms of one user."""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from platformctl.models.catalog import ModelFile
from platformctl.models.errors import ModelError

# Room that is left for everything else that the machine does meanwhile.
SPARE_BYTES = 256_000_000
LOCK_POLL_SECONDS = 0.5
READ_BYTES = 4_194_304


def default_folder() -> Path:
    """Where models are kept when MODELS_DIR is not set."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "coaching-platform" / "models"


class ModelCache:
    """Files by name; a file that is there was verified, and its stamp says that it has not changed since."""

    def __init__(self, folder: Path, free_bytes: Callable[[Path], int] | None = None) -> None:
        self.folder = folder
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)

    def open(self) -> None:
        """Make the folder. Raises ModelError when it cannot be written."""
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(
                f"The folder for models, {self.folder}, cannot be made: {error.strerror}. "
                "Choose another with MODELS_DIR."
            ) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise ModelError(
                f"The folder for models, {self.folder}, cannot be written. Choose another with MODELS_DIR."
            )

    def path(self, file: ModelFile) -> Path:
        """Where the file is, or will be."""
        return self.folder / file.name

    def partial(self, file: ModelFile, source: str) -> Path:
        """Where an unfinished download of one source is kept."""
        return self.folder / f".{file.name}.{source}.partial"

    def has(self, file: ModelFile) -> bool:
        """True when the file is there as it was verified; it is hashed again only when it looks touched."""
        path = self.path(file)
        if not path.is_file() or path.stat().st_size != file.size:
            return False
        if _read_stamp(self._stamp(file)) == _stamp_of(path, file):
            return True
        if sha256(path) != file.sha256:
            return False
        self._write_stamp(file)
        return True

    def keep(self, file: ModelFile, verified: Path) -> None:
        """Move a verified file into place in one step."""
        verified.chmod(0o644)
        verified.replace(self.path(file))
        self._write_stamp(file)

    def need(self, file: ModelFile, still_bytes: int) -> None:
        """Raises ModelError when the disk has no room for what is still to come."""
        free, needed = self._free_bytes(self.folder), still_bytes + SPARE_BYTES
        if free < needed:
            raise ModelError(
                f"Not enough room for {file.name} in {self.folder}: {needed // 1_000_000} MB are needed, "
                f"{free // 1_000_000} MB are free. Free some, or choose another folder with MODELS_DIR."
            )

    @asynccontextmanager
    async def locked(self, file: ModelFile, waiting: Callable[[], None]) -> AsyncIterator[None]:
        """Hold the file's lock: two fetchers would write the same parts. `waiting` is called once if it is held."""
        with (self.folder / f".{file.name}.lock").open("ab") as lock:
            told = False
            while not _try_lock(lock.fileno()):
                if not told:
                    waiting()
                    told = True
                await asyncio.sleep(LOCK_POLL_SECONDS)
            yield

    def _stamp(self, file: ModelFile) -> Path:
        return self.folder / f"{file.name}.json"

    def _write_stamp(self, file: ModelFile) -> None:
        side = self._stamp(file).with_suffix(f".{os.getpid()}")
        side.write_text(json.dumps(_stamp_of(self.path(file), file)), encoding="utf-8")
        side.replace(self._stamp(file))


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _stamp_of(path: Path, file: ModelFile) -> dict[str, str | int]:
    stat = path.stat()
    return {"sha256": file.sha256, "size": stat.st_size, "modified_ns": stat.st_mtime_ns}


def _read_stamp(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _try_lock(descriptor: int) -> bool:
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
