"""Print one line for each promise of docs/guarantees.md with a test that showed it; fail when one was not shown.

Reads build/guarantees.json, which pytest leaves (tests/support/guarantees.py).
"""

import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = "\n## On a cluster\n"
PROMISE = re.compile(r"^\| `([A-Za-z0-9-]+)` \|", re.MULTILINE)


def promises(page: str, *, cluster: bool = True) -> list[str]:
    """Return the id of every promise of the page, those that need a cluster with the others or left out."""
    return PROMISE.findall(page if cluster else page.partition(CLUSTER)[0])


def verdict(tests: dict[str, str]) -> str:
    """Return passed only when at least one test passed and none failed."""
    outcomes = set(tests.values())
    if "failed" in outcomes:
        return "failed"
    return "passed" if "passed" in outcomes else "not run"


def shown_by(tests: dict[str, str], result: str) -> str:
    """Return the test that stands for a promise: one that ended as the promise did, end to end before others."""
    fitting = sorted(
        (name for name, outcome in tests.items() if outcome == result), key=lambda name: "/e2e/" not in name
    )
    first = (fitting or sorted(tests) or ["no test ran"])[0]
    return first if len(tests) < 2 else f"{first} (and {len(tests) - 1} more)"


def report(page: str, found: dict[str, dict[str, str]], *, cluster: bool = True) -> tuple[list[str], bool]:
    """Return the lines to print, one for each promise, and whether every promise was shown that had to be."""
    out, kept = [], True
    needed = promises(page, cluster=cluster)
    for name in promises(page):
        tests = found.get(name, {})
        result = verdict(tests)
        kept = kept and (result == "passed" or (name not in needed and result == "not run"))
        out.append(f"{result:<8} {name:<22} {shown_by(tests, result)}")
    return out, kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "build/guarantees.json")
    parser.add_argument("--without-cluster", action="store_true", help="promises of a cluster may be left unshown")
    chosen = parser.parse_args()
    results: Path = chosen.results
    found = json.loads(results.read_text()) if results.is_file() else {}
    lines, kept = report((ROOT / "docs/guarantees.md").read_text(), found, cluster=not chosen.without_cluster)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
