"""Check the locks without a network: they hold what the packages ask for, with hashes, and name no index."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def plain(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(text: str) -> dict[str, str]:
    return {plain(name): version for name, version in PINNED.findall(text)}


def wanted(lines: list[str]) -> set[str]:
    return {plain(found[0]) for line in lines if (found := NAME.match(line))}


def faults(name: str, text: str, names: set[str]) -> list[str]:
    """Say what is wrong with one lock."""
    found = pinned(text)
    out = [f"{name}: {missing} is not in it; run `make lock`" for missing in sorted(names - set(found))]
    out += [f"{name}: it names a URL: {line.strip()[:60]}" for line in text.splitlines() if "://" in line]
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    out += [
        f"{name}: {block.split()[0]} has no hash" for block in blocks if NAME.match(block) and "--hash" not in block
    ]
    return out


def asked() -> list[str]:
    """Return the requirements of all packages, as scripts/requirements.py prints them."""
    command = [sys.executable, str(ROOT / "scripts/requirements.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main() -> int:
    models = (ROOT / "models.in").read_text().splitlines()
    problems = faults("requirements.lock", (ROOT / "requirements.lock").read_text(), wanted(asked()))
    problems += faults("models.lock", (ROOT / "models.lock").read_text(), wanted(models))
    sys.stderr.write("".join(f"{line}\n" for line in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
