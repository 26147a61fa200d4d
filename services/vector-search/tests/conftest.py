"""What several tests of vector-search need."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fakes.coaching_texts import FixedTexts
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Rebuild
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.memory import MemoryStore

MIB = 1024 * 1024
START_SECONDS = 90


@pytest.fixture
def embedding() -> Iterator[Embedding]:
    made = Embedding(HashingEmbedder())
    yield made
    made._thread.shutdown()


@pytest.fixture
def store() -> VectorStore:
    return MemoryStore(HashingEmbedder.dimensions)


@pytest.fixture
def partitions(store: VectorStore) -> Partitions:
    return Partitions(store, MIB)


@pytest.fixture
def index(store: VectorStore, embedding: Embedding, partitions: Partitions) -> Index:
    return Index(store, embedding, partitions)


@pytest.fixture
def source() -> FixedTexts:
    return FixedTexts()


@pytest.fixture
def rebuild(index: Index, store: VectorStore, source: FixedTexts) -> Rebuild:
    return Rebuild(index, store, source)


@pytest.fixture(scope="session")
def model_files() -> tuple[Path, Path]:
    """The real embedding model: where EMBEDDER_MODEL_PATH says, or where platformctl puts it."""
    found = []
    for field in ("embedder_model_path", "embedder_tokenizer_path"):
        default = VectorSearchSettings.model_fields[field].default
        path = Path(os.environ.get(field.upper(), str(default))).expanduser()
        if not path.is_file():
            pytest.skip(f"the embedding model is not fetched: {path} is not there, and {field.upper()} is not set")
        found.append(path)
    return found[0], found[1]


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("chroma-server")
    program = Path(sys.executable).parent / "chroma"
    command = [str(program), "run", "--path", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, stdin=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _await(f"{url}/api/v2/heartbeat", server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the Chroma server did not start")
