"""Print every third-party requirement of the workspace, one a line: the input of `make lock`.

Our own packages are left out: they are installed from their folders and must never be looked up by name in an index.
"""

import sys
import tomllib
from pathlib import Path

OWN = "coaching-platform"


def requirements(root: Path) -> list[str]:
    """Return the sorted requirements of all packages, and of the development group of the root."""
    found: set[str] = set()
    for manifest in sorted([*root.glob("libs/*/pyproject.toml"), *root.glob("services/*/pyproject.toml")]):
        found.update(tomllib.loads(manifest.read_text())["project"]["dependencies"])
    found.update(tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]["dev"])
    return sorted(line for line in found if not line.startswith(OWN))


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(Path(__file__).resolve().parent.parent)) + "\n")
