"""Generated passwords of the embedded servers, one file each, readable by the owner of the data folder alone."""

import os
import secrets
import tempfile
from pathlib import Path

PASSWORD_BYTES = 24


def secret(data: Path, name: str) -> str:
    """The secret `name` kept below `data`, made on the first call. Folder 0700, file 0600, safe in a URL."""
    folder = data / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(PASSWORD_BYTES))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, value: str) -> None:
    """Write to a side file and link it into place, so that a crash or a second starter never leaves half a secret."""
    descriptor, name = tempfile.mkstemp(prefix=".", dir=path.parent)  # mode 0600
    side = Path(name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(side, path)
    except FileExistsError:
        pass
    finally:
        side.unlink()
