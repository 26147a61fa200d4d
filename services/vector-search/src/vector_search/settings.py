"""Every knob of vector-search."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from kit.settings import BaseServiceSettings, by_environment

MODELS = Path("~/.cache/coaching-platform/models")  # where `platformctl` puts what it fetches


class VectorSearchSettings(BaseServiceSettings):
    """Read from the environment; see docs for the generated reference."""

    max_workers: int = Field(
        4,
        ge=1,
        le=256,
        description="Threads that compute an embedding (at most one a core), and reads of the store at once.",
    )
    embedder: Literal["minilm_onnx", "hashing"] = Field(
        "minilm_onnx",
        description="What makes vectors of texts; hashing compares words alone and needs no model (tests).",
    )
    embedder_model_path: Path = Field(MODELS / "all-minilm-l6-v2-int8.onnx", description="ONNX model of minilm_onnx.")
    embedder_tokenizer_path: Path = Field(
        MODELS / "all-minilm-l6-v2-tokenizer.json", description="Tokenizer of minilm_onnx."
    )
    vector_store: Literal["chroma_embedded", "chroma_server", "memory"] = Field(
        "chroma_embedded",
        description="Where vectors are kept: in this process by Chroma, on a Chroma server, or nowhere (tests).",
    )
    vectors_dir: Path = Field(
        default_factory=by_environment(
            Path(".data/vectors"),
            Path("/var/lib/coaching-platform/vectors"),
            Path("/var/lib/coaching-platform/vectors"),
        ),
        description="Folder of chroma_embedded, one process's own.",
    )
    chromadb_url: SecretStr = Field(
        SecretStr("http://localhost:8000"), description="Chroma server of chroma_server, with its credentials if any."
    )
    vectors_in_memory_mb: int = Field(
        256, ge=1, description="MiB that vectors and texts of recently searched people may take in memory."
    )
    coaching_address: str = Field("127.0.0.1:50051", description="host:port of coaching, which owns the texts.")
    rebuild_read_timeout_seconds: float = Field(
        300.0,
        gt=0,
        le=420,
        description="Longest reading of all texts from coaching; its server cuts connections after 450.",
    )
