"""all-MiniLM-L6-v2 by onnxruntime: mean pooling, length 1, as sentence-transformers computes it."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

from kit.process import StartError
from vector_search.app.ports import Embedder, Vectors
from vector_search.settings import VectorSearchSettings

MAX_TOKENS = 256  # what the model was trained with; the rest of a longer text is not looked at
DIMENSIONS = 384
UNLOADABLE = (Fail, InvalidGraph, InvalidProtobuf)
FATAL = 4  # onnxruntime's severity; anything less may quote inputs


class MiniLmEmbedder:
    """The int8 export (23 MB) by default; any export of the same model with the same inputs works."""

    dimensions = DIMENSIONS

    def __init__(self, model: Path, tokenizer: Path, threads: int) -> None:
        model_bytes, tokenizer_bytes = model.read_bytes(), tokenizer.read_bytes()
        # The tokenizer is part of what a vector means, and so of the id.
        self.model = f"all-MiniLM-L6-v2@{_prefix(model_bytes)}.{_prefix(tokenizer_bytes)}"
        self.threads = min(threads, os.cpu_count() or 1)
        self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer_bytes.decode())
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = FATAL
        # Threads that spin between two texts take the core from the language model beside us.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        encoded = self._tokenizer.encode_batch(list(texts))
        ids = np.array([item.ids for item in encoded], dtype=np.int64)
        mask = np.array([item.attention_mask for item in encoded], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        tokens = self._session.run(None, inputs)[0]
        weights = mask[..., np.newaxis].astype(np.float32)
        pooled = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
        normal: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return normal.astype(np.float32, copy=False)


def _prefix(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def open_minilm(settings: VectorSearchSettings) -> Embedder:
    """Load the model; raises StartError where its files are missing or are not what they should be."""
    model, tokenizer = settings.embedder_model_path.expanduser(), settings.embedder_tokenizer_path.expanduser()
    for name, path in (("EMBEDDER_MODEL_PATH", model), ("EMBEDDER_TOKENIZER_PATH", tokenizer)):
        if not path.is_file():
            raise StartError(f"{name}: {path} is not there: `platformctl up` fetches it, or set the path")
    onnxruntime.set_default_logger_severity(FATAL)
    try:
        json.loads(tokenizer.read_bytes())  # the library itself raises nothing narrower than Exception
        return MiniLmEmbedder(model, tokenizer, settings.max_workers)
    except (ValueError, *UNLOADABLE) as error:
        word = type(error).__name__
        raise StartError(f"the embedding model at {model.parent} cannot be loaded ({word}): fetch it again") from None
