"""Print one line for each promise of docs/guarantees.md with the tests that showed it; fail when one did not pass.

Reads build/guarantees.json, which pytest leaves (tests/support/guarantees.py).
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMISE = re.compile(r"^\| `([A-Za-z0-9-]+)` \| ([^|]+) \|", re.MULTILINE)


def promises(page: str) -> dict[str, str]:
    """Return id and words of every promise of the page."""
    return {found[1]: found[2].strip() for found in PROMISE.finditer(page)}


def verdict(tests: dict[str, str]) -> str:
    """Return passed only when at least one test passed and none failed."""
    outcomes = set(tests.values())
    if "failed" in outcomes:
        return "failed"
    return "passed" if "passed" in outcomes else "not run"


def report(page: str, found: dict[str, dict[str, str]]) -> tuple[list[str], bool]:
    """Return the lines to print and whether every promise was shown."""
    out, kept = [], True
    for name, words in promises(page).items():
        tests = found.get(name, {})
        result = verdict(tests)
        kept = kept and result == "passed"
        out.append(f"{result:<8} {name:<22} {words}")
        out += [f"         {outcome:<8} {test}" for test, outcome in sorted(tests.items())]
    return out, kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "build/guarantees.json")
    results = parser.parse_args().results
    found = json.loads(results.read_text()) if results.is_file() else {}
    lines, kept = report((ROOT / "docs/guarantees.md").read_text(), found)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
