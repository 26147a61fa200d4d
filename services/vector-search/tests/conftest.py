"""What several tests of vector-search need."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest

from contracts.coaching.v1 import coaching_pb2_grpc
from fakes.coaching_texts import FixedTexts, coaching_servicer
from support.chroma import ChromaServer
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.partitions import Partitions
from vector_search.app.ports import VectorStore
from vector_search.app.rebuild import Rebuild
from vector_search.embedders.hashing import HashingEmbedder
from vector_search.settings import VectorSearchSettings
from vector_search.stores.memory import MemoryStore

MIB = 1024 * 1024


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
async def coaching(source: FixedTexts) -> AsyncIterator[int]:
    """The port of a coaching that serves these texts."""
    server = grpc.aio.server()
    coaching_pb2_grpc.add_CoachingServicer_to_server(coaching_servicer(source), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(None)


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
    """A real Chroma server on a free port, one for all tests."""
    server = ChromaServer(tmp_path_factory.mktemp("chroma-server"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[ChromaServer]:
    """A real Chroma server of the test's own, not started yet."""
    server = ChromaServer(tmp_path / "chroma")
    yield server
    server.stop()
