"""A copy of the checkout that a test may write to."""

import shutil
from pathlib import Path

from support.cluster.programs import run
from support.tree import ROOT


def copied(folder: Path) -> Path:
    """Copy what git knows of, and what is new, to a folder; return it."""
    for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (source := ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    return folder
