"""Every store: one file or folder and one line here."""

from collections.abc import Awaitable, Callable, Mapping

from vector_search.app.ports import VectorStore
from vector_search.settings import VectorSearchSettings
from vector_search.stores.chroma.embedded import open_embedded
from vector_search.stores.chroma.server import open_server
from vector_search.stores.memory import open_memory

# Settings, the embedding model's id, the length of its vectors.
OpenStore = Callable[[VectorSearchSettings, str, int], Awaitable[VectorStore]]

STORES: Mapping[str, OpenStore] = {
    "chroma_embedded": open_embedded,
    "chroma_server": open_server,
    "memory": open_memory,
}
