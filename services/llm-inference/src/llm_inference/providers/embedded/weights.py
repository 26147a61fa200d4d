"""The SHA-256 of a model file, computed once and remembered beside it."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path


def sha256_of(model: Path) -> str:
    """Return the file's SHA-256 in hex; read from NAME.sha256.json while size and time of change are the same."""
    facts = model.stat()
    seen = {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
    note = model.with_name(f"{model.name}.sha256.json")
    with suppress(OSError, ValueError):
        remembered = json.loads(note.read_text())
        if isinstance(remembered, dict) and seen.items() <= remembered.items():
            return str(remembered["sha256"])
    with model.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    # A folder that cannot be written only means that the next start computes it again.
    with suppress(OSError):
        note.write_text(json.dumps(seen | {"sha256": digest}))
    return digest
