"""Our images on the cluster, built once for what the checkout holds and not again while that stays the same."""

import hashlib
from pathlib import Path

from support.cluster.place import Place
from support.cluster.programs import attempt, run
from support.tree import ROOT

NAMES = (
    "gateway", "coaching", "channel-adapter", "llm-inference", "vector-search", "web", "platformctl", "models",
)  # fmt: skip
# What images are made of; tests and docs are not part of them.
SOURCES = ("libs", "services", "migrations", "deploy/docker", "requirements.lock", "models.lock", "pyproject.toml")
IGNORED = ("/tests/", "/bench/", "/README.md")
BUILD_SECONDS = 1800.0


def tag_of(root: Path = ROOT) -> str:
    """Return a tag that changes whenever a file changes that an image may hold."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", *SOURCES, folder=root).splitlines()
    digest = hashlib.sha256()
    for name in sorted(listed):
        path = root / name
        if any(part in f"/{name}" for part in IGNORED) or not path.is_file():
            continue
        digest.update(f"{name}\0{path.stat().st_mode & 0o111}\0".encode())
        digest.update(path.read_bytes())
    return f"t{digest.hexdigest()[:12]}"


def build(place: Place, tag: str, root: Path = ROOT) -> None:
    """Build every image of a checkout under this tag and bring it where the nodes find it."""
    if all(_is_there(place, name, tag) for name in NAMES):
        return
    words = ["make", "images", f"TAG={tag}", f"PUSH={place.registry}" if place.registry else "PUSH="]
    run(*words, seconds=BUILD_SECONDS, folder=root)
    if place.load:
        for name in NAMES:
            run(*place.load, place.image(name, tag), seconds=300)


def _is_there(place: Place, name: str, tag: str) -> bool:
    if place.load:  # a local image may be missing on the nodes, and loading it again costs seconds
        return False
    return attempt("docker", "manifest", "inspect", "--insecure", place.image(name, tag), seconds=60).status == 0
