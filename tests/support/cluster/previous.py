"""The release before this one: the commit of deploy/previous-release, in a checkout of its own, with its images."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.cluster.images import build, tag_of
from support.cluster.place import Place
from support.cluster.programs import attempt, run
from support.tree import ROOT

NAMED = ROOT / "deploy/previous-release"


def commit() -> str:
    """Return the commit; its file may have comments."""
    lines = [line for line in NAMED.read_text().splitlines() if line and not line.startswith("#")]
    return lines[0].strip()


@contextmanager
def checked_out(folder: Path) -> Iterator[Path]:
    """Have it checked out in a folder for a while."""
    named = commit()
    if attempt("git", "cat-file", "-e", f"{named}^{{commit}}").status:
        raise AssertionError(f"{NAMED.name} names {named}, which this clone has not: fetch the whole history")
    run("git", "worktree", "add", "--quiet", "--detach", str(folder), named)
    try:
        yield folder
    finally:
        run("git", "worktree", "remove", "--force", str(folder))


def images(place: Place, folder: Path) -> str:
    """Build its images by its own recipes; return their tag."""
    tag = f"p{tag_of(folder)}"
    build(place, tag, folder)
    return tag
