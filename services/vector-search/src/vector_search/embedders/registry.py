"""Every embedder: one file and one line here."""

from collections.abc import Callable, Mapping

from vector_search.app.ports import Embedder
from vector_search.embedders.hashing import open_hashing
from vector_search.embedders.minilm_onnx import open_minilm
from vector_search.settings import VectorSearchSettings

EMBEDDERS: Mapping[str, Callable[[VectorSearchSettings], Embedder]] = {
    "minilm_onnx": open_minilm,
    "hashing": open_hashing,
}
