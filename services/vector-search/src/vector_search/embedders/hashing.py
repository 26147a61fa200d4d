"""An embedder without a model: words hashed to places. Texts that share words are near; it knows no meaning.

There are 512 places, with the sign: of a few dozen words two are often one to it, as 3 and 11 are.
"""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from vector_search.app.ports import Embedder, Vectors
from vector_search.settings import VectorSearchSettings

WORD = re.compile(r"\w+")
DIMENSIONS = 256


class HashingEmbedder:
    """Deterministic and instant, held to the same behaviour suite as the real one."""

    model = "hashing-256"
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in WORD.findall(text.lower()) or [""]:
                digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
                row[int.from_bytes(digest[:3]) % DIMENSIONS] += 1.0 if digest[3] % 2 else -1.0
            if not row.any():
                row[0] = 1.0  # words that cancel each other out still need a direction
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


def open_hashing(_: VectorSearchSettings) -> Embedder:
    """Return the embedder; nothing to load."""
    return HashingEmbedder()
