"""Look for code that nothing uses, with vulture: `make check-dead`.

To the names in pyproject.toml that only frameworks use come the methods that protos/ gives to gRPC servicers.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RPC = re.compile(r"^\s*rpc (\w+)\(", re.MULTILINE)


def methods() -> set[str]:
    """Return the names of all gRPC methods."""
    return {name for path in (ROOT / "protos").rglob("*.proto") for name in RPC.findall(path.read_text())}


def main() -> int:
    names = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["vulture"]["ignore_names"]
    command = [str(Path(sys.executable).parent / "vulture"), "--ignore-names", ",".join([*names, *sorted(methods())])]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
