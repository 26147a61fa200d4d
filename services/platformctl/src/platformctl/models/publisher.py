"""A model file from its publisher's hub over HTTPS, continued where an earlier attempt stopped."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx

from platformctl.models.catalog import ModelFile
from platformctl.models.errors import SourceError

# A hub that is not reachable must be noticed at once: there is another source.
TIMEOUT = httpx.Timeout(15.0, connect=5.0)
# A long download may lose its connection now and then; only attempts that brought nothing are counted.
FRUITLESS_ATTEMPTS = 2
CONTENT_RANGE = re.compile(r"^bytes (\d+)-\d+/(\d+)$")


class Publisher:
    """Downloads below `base`, such as https://huggingface.co."""

    name = "publisher"

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self.title = f"its publisher ({httpx.URL(self._base).host})"

    def offers(self, file: ModelFile) -> bool:
        """Whether the publisher has this file."""
        return bool(file.published)

    def work(self, file: ModelFile) -> int:
        """Bytes to download for the whole file."""
        return file.size

    def present(self, file: ModelFile, partial: Path) -> int:
        """Bytes that an earlier attempt left."""
        return min(partial.stat().st_size, file.size) if partial.exists() else 0

    def room(self, file: ModelFile, partial: Path) -> int:
        """Bytes on disk that the rest will take."""
        return file.size - self.present(file, partial)

    async def fetch(self, file: ModelFile, partial: Path, at: Callable[[int], None]) -> None:
        """Bring `partial` to the file's full size; `at` is told the bytes so far. Raises SourceError."""
        fruitless = 0
        async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=True) as client:
            while (before := self.present(file, partial)) < file.size:
                try:
                    await self._continue(client, file, partial, at)
                except httpx.HTTPError as error:
                    fruitless = 0 if self.present(file, partial) > before else fruitless + 1
                    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) or fruitless >= FRUITLESS_ATTEMPTS:
                        raise SourceError(_reason(error)) from error

    async def _continue(
        self, client: httpx.AsyncClient, file: ModelFile, partial: Path, at: Callable[[int], None]
    ) -> None:
        done = self.present(file, partial)
        headers = {"Range": f"bytes={done}-"} if done else {}
        async with client.stream("GET", f"{self._base}/{file.published}", headers=headers) as answer:
            done = _start_of(answer, file, done)
            with partial.open("r+b" if done else "wb") as stream:
                stream.seek(done)
                stream.truncate()
                async for block in answer.aiter_bytes():
                    stream.write(block)
                    done += len(block)
                    if done > file.size:
                        raise SourceError("it sent more than the file should have")
                    at(done)


def _start_of(answer: httpx.Response, file: ModelFile, asked: int) -> int:
    """Where in the file the answer's body begins. Raises SourceError when it is not this file."""
    if answer.status_code == httpx.codes.PARTIAL_CONTENT:
        match = CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
        if match and int(match[1]) == asked and int(match[2]) == file.size:
            return asked
        raise SourceError("it answered with another part than was asked for")
    if answer.status_code != httpx.codes.OK:
        raise SourceError(f"it answered {answer.status_code}")
    length = answer.headers.get("Content-Length")
    if length is not None and "Content-Encoding" not in answer.headers and int(length) != file.size:
        raise SourceError(f"it offers another file ({length} bytes, not {file.size})")
    return 0


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "cannot be reached" if isinstance(error, httpx.ConnectError) else "the connection broke"
