"""Print the lines of requirements.lock that one service needs, itself and through others: `closure.py SERVICE`.

`closure.py --package NAME` prints those of one package.

Run at the root of the sources, with uv on PATH. The package index is asked only which package needs which; versions and
hashes are the lock's, and what the lock does not hold is refused.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

LOCK = Path("requirements.lock")
OWN = "coaching-platform-"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def plain(line: str) -> str:
    """Return the name in a requirement, as indexes compare names."""
    found = NAME.match(line)
    if not found:
        raise SystemExit(f"{line!r} is no requirement")
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def wanted(service: str) -> list[str]:
    """Return what the service and our packages below it ask for, without what its image leaves out."""
    manifests = {
        manifest["project"]["name"]: manifest
        for path in [*Path().glob("libs/*/pyproject.toml"), Path("services", service, "pyproject.toml")]
        for manifest in [tomllib.loads(path.read_text())]
    }
    left_out: set[str] = set()
    found: set[str] = set()
    ahead = [OWN + service]
    for name in ahead:
        manifest = manifests[name]
        left_out.update(manifest.get("tool", {}).get("coaching-platform", {}).get("image", {}).get("without", ()))
        for line in manifest["project"]["dependencies"]:
            if not line.startswith(OWN):
                found.add(line)
            elif line not in ahead:
                ahead.append(line)
    return sorted(line for line in found if plain(line) not in left_out)


def closure(requirements: list[str]) -> set[str]:
    """Return the names of all packages that these need on this platform."""
    command = [
        "uv", "pip", "compile", "-", "--quiet", "--constraints", str(LOCK), "--no-header", "--no-annotate",
        "--only-binary", ":all:",
    ]  # fmt: skip
    done = subprocess.run(command, input="\n".join(requirements), stdout=subprocess.PIPE, text=True, check=True)
    return {plain(line) for line in done.stdout.splitlines()}


def locked(names: set[str]) -> str:
    """Return the lock's entries of these packages. Ends the program when one has none."""
    # One package may have several, for different versions of Python: their markers say which holds.
    entries = [entry.rstrip() for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text()) if plain(entry) in names]
    if missing := names - {plain(entry) for entry in entries}:
        raise SystemExit(f"requirements.lock lacks {', '.join(sorted(missing))}: renew it with `make lock`")
    return "\n".join(entries) + "\n"


if __name__ == "__main__":
    requirements = [sys.argv[2]] if sys.argv[1] == "--package" else wanted(sys.argv[1])
    sys.stdout.write(locked(closure(requirements)))
