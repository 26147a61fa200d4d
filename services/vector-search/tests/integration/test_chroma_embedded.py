"""Chroma in process: what is on the disk survives, or is set aside and made again."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb.api.types import GetResult
from structlog.testing import capture_logs

from fakes.coaching_texts import FixedTexts, new_scope, remembered
from kit.process import StartError
from vector_search.app.catch_up import catch_up
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partition import Partition
from vector_search.app.partitions import Partitions
from vector_search.app.ports import Entries, VectorStore
from vector_search.app.rebuild import Rebuild
from vector_search.domain.scope import EVERYTHING, Scope
from vector_search.domain.texts import RememberedText
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma import index as chroma_index
from vector_search.stores.chroma.index import ChromaIndex
from vector_search.stores.registry import STORES

DIMENSIONS = HashingEmbedder.dimensions
Open = Callable[..., Awaitable[VectorStore]]


def entries(*texts: RememberedText) -> Entries:
    return Entries(texts, HashingEmbedder().embed([text.text for text in texts]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


@pytest.fixture
async def open_store(folder: Path) -> AsyncIterator[Open]:
    opened: list[VectorStore] = []

    async def open_it(model: str = "one") -> VectorStore:
        opened.append(await STORES["chroma_embedded"](VectorSearchSettings(vectors_dir=folder), model, DIMENSIONS))
        return opened[-1]

    yield open_it
    for store in opened:
        await store.close()


async def filled(open_store: Open, scope: Scope, *texts: RememberedText) -> None:
    """Store texts, mark the index complete, and close it."""
    store = await open_store()
    await store.upsert({scope: entries(*texts)})
    await store.mark_complete()
    await store.close()


@pytest.mark.parametrize("max_workers", [1, 3])
async def test_max_workers_bounds_the_reads_at_once(folder: Path, max_workers: int) -> None:
    settings = VectorSearchSettings(vectors_dir=folder, max_workers=max_workers)
    store = await STORES["chroma_embedded"](settings, "one", DIMENSIONS)
    before = {thread.ident for thread in threading.enumerate()}
    await asyncio.gather(*(store.digests(new_scope()) for _ in range(40)))
    fresh = [thread for thread in threading.enumerate() if thread.ident not in before]
    readers = [thread for thread in fresh if thread.name.startswith("chroma-read")]
    assert 0 < len(readers) <= max_workers
    await store.close()


async def test_what_was_stored_is_there_after_a_restart(open_store: Open) -> None:
    scope, text = new_scope(), remembered("hello")
    await filled(open_store, scope, text)
    store = await open_store()
    assert (await store.load(scope)).texts == (text,)
    assert await store.is_complete()


async def test_two_processes_never_use_one_folder(open_store: Open, folder: Path) -> None:
    store = await open_store()
    with pytest.raises(StartError, match="in use by another process"):
        await open_store()
    await store.close()
    await open_store()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = VectorSearchSettings(vectors_dir=tmp_path / "file" / "vectors")
    with pytest.raises(StartError, match=r"VECTORS_DIR.*cannot be written"):
        await STORES["chroma_embedded"](settings, "one", DIMENSIONS)


def _garbage(data: Path) -> None:
    (data / "chroma.sqlite3").write_bytes(b"garbage" * 1000)


def _half(data: Path) -> None:
    file = data / "chroma.sqlite3"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _vectors(data: Path) -> None:
    for file in data.glob("*/index_metadata.pickle"):
        file.write_bytes(b"x" * 100)


@pytest.mark.parametrize("spoil", [_garbage, _half, _vectors])
async def test_unreadable_data_is_set_aside_and_made_again_from_coaching(
    open_store: Open, folder: Path, embedding: Embedding, source: FixedTexts, spoil: Callable[[Path], None]
) -> None:
    scope = new_scope()
    texts = [remembered(f"text {number}") for number in range(1_100)]  # enough that Chroma writes its vector files
    source.say(scope, *texts)
    await filled(open_store, scope, *texts)
    spoil(folder / "chroma")
    with capture_logs() as logs:
        store = await open_store()
    assert [log["event"] for log in logs] == ["vectors_unreadable_moved_aside"]
    assert not await store.is_complete()
    assert (folder / "unreadable").is_dir()
    rebuild = Rebuild(Index(store, embedding, Partitions(store, 1_000_000)), store, source)
    await catch_up(store, rebuild, iter([0.0]))
    assert len((await store.load(scope)).texts) == 1_100
    assert await store.is_complete()
    assert not (folder / "unreadable").exists()


async def test_an_empty_volume_is_filled_from_coaching(
    open_store: Open, embedding: Embedding, source: FixedTexts
) -> None:
    scope = new_scope()
    source.say(scope, remembered("hello"))
    store = await open_store()
    assert not await store.is_complete()
    rebuild = Rebuild(Index(store, embedding, Partitions(store, 1_000_000)), store, source)
    await catch_up(store, rebuild, iter([0.0]))
    assert set(await store.inventory(EVERYTHING)) == {scope}


async def test_vectors_of_another_model_are_never_seen_and_go_when_the_new_index_is_whole(open_store: Open) -> None:
    scope, old, new = new_scope(), remembered("old"), remembered("new")
    await filled(open_store, scope, old)
    store = await open_store("two")
    assert not await store.is_complete()
    assert (await store.load(scope)).texts == ()
    await store.upsert({scope: entries(new)})
    await store.mark_complete()
    await store.close()
    back = await open_store("one")
    assert not await back.is_complete()
    assert (await back.load(scope)).texts == ()


async def test_going_back_to_a_model_before_the_new_index_was_whole_is_a_new_beginning_too(open_store: Open) -> None:
    scope, text = new_scope(), remembered("old")
    await filled(open_store, scope, text)
    await (await open_store("two")).close()
    assert not await (await open_store("one")).is_complete()


@pytest.mark.guarantee("P6-vectors")
@pytest.mark.parametrize("everything", [True, False])
async def test_what_is_forgotten_goes_from_the_index_of_an_earlier_model_too(
    open_store: Open, everything: bool
) -> None:
    scope, text = new_scope(), remembered("old")
    await filled(open_store, scope, text)
    store = await open_store("two")
    await (store.delete_person(scope) if everything else store.delete(scope, [text.text_id]))
    await store.close()
    assert (await (await open_store("one")).load(scope)).texts == ()


async def test_a_load_that_a_deletion_overtakes_between_two_pages_is_not_kept(
    open_store: Open, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope, texts = new_scope(), [remembered(f"text {number}") for number in range(3)]
    store, loop = await open_store(), asyncio.get_running_loop()
    index = Index(store, embedding, Partitions(store, 1_000_000))
    await store.upsert({scope: entries(*texts)})
    pages, delete = ChromaIndex._pages, ChromaIndex.delete
    deleting: list[asyncio.Task[int]] = []
    deleted, loaded = threading.Event(), threading.Event()

    def pages_with_a_deletion_after_the_first(*what: Any) -> Iterator[GetResult]:
        found = pages(*what)
        yield next(found)
        if not deleted.is_set():
            remove = index.remove(scope, [texts[0].text_id])
            loop.call_soon_threadsafe(lambda: deleting.append(loop.create_task(remove)))
            assert deleted.wait(30)
        yield from found

    def deletion_that_ends_after_the_load(rows: ChromaIndex, *what: Any) -> int:
        count = delete(rows, *what)
        deleted.set()
        assert loaded.wait(30)
        return count

    monkeypatch.setattr(chroma_index, "PAGE", 1)
    monkeypatch.setattr(ChromaIndex, "_pages", staticmethod(pages_with_a_deletion_after_the_first))
    monkeypatch.setattr(ChromaIndex, "delete", deletion_that_ends_after_the_load)
    await index.partitions([scope])
    loaded.set()
    assert await deleting[0] == 1
    [partition] = await index.partitions([scope])
    assert isinstance(partition, Partition)
    assert [text.text for text in partition.entries.texts] == ["text 1", "text 2"]


WRITER = """
import asyncio, sys
from pathlib import Path
from fakes.coaching_texts import Scope, remembered
from vector_search.app.ports import Entries
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.registry import STORES

async def main(folder, organization_id, person_id):
    store = await STORES["chroma_embedded"](VectorSearchSettings(vectors_dir=Path(folder)), "one", 256)
    await store.mark_complete()
    for number in range(10_000):
        text = remembered(f"text {number}", f"text-{number}")
        entries = Entries((text,), HashingEmbedder().embed([text.text]))
        await store.upsert({Scope(organization_id, person_id): entries})
        print(number, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_killed_in_the_middle_of_writing_it_keeps_what_it_said_was_stored_and_a_rebuild_adds_the_rest(
    open_store: Open, folder: Path, embedding: Embedding, source: FixedTexts
) -> None:
    scope = new_scope()
    command = [sys.executable, "-c", WRITER, str(folder), scope.organization_id, scope.person_id]
    tests = Path(__file__).parents[4] / "tests"
    writer = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(tests)}
    )
    assert writer.stdout is not None
    told = [await writer.stdout.readline() for _ in range(20)]
    writer.kill()
    await writer.communicate()
    assert told[-1] == b"19\n"
    store = await open_store()
    found = await store.digests(scope)
    assert {f"text-{number}" for number in range(20)} <= found.keys()
    source.say(scope, *[remembered(f"text {number}", f"text-{number}") for number in range(40)])
    rebuild = Rebuild(Index(store, embedding, Partitions(store, 1_000_000)), store, source)
    await catch_up(store, rebuild, iter([0.0]))
    kept = await store.load(scope)
    assert {text.text_id for text in kept.texts} == {f"text-{number}" for number in range(40)}
    assert np.allclose(np.linalg.norm(kept.vectors, axis=1), 1.0)
