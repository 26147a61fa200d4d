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
KEPT = ("passed", "smaller", "left")
WORDS = {"left": "not run"}
# What a line says beside the test, where a suite ran at a smaller size; the page has the full figure and its date.
SIZES = {
    "smaller": "; smaller than in full: docs/guarantees.md says how, `make cluster-test` runs it all",
    "left": "; only at full size: `make cluster-test`",
}
NO_CLUSTER = "not run here: no cluster"


def promises(page: str, *, cluster: bool = True) -> list[str]:
    """Return the id of every promise of the page, those that need a cluster with the others or left out."""
    return PROMISE.findall(page if cluster else page.partition(CLUSTER)[0])


def verdict(tests: dict[str, str]) -> str:
    """Return passed only when at least one test passed, none failed, and none was smaller or left to the full size."""
    outcomes = set(tests.values())
    if "failed" in outcomes:
        return "failed"
    if not outcomes & {"passed", "smaller"}:
        return "left" if "left" in outcomes else "not run"
    return "smaller" if outcomes & {"smaller", "left"} else "passed"


def shown_by(tests: dict[str, str], result: str) -> str:
    """Return the test that stands for a promise: one that ended as the promise did, end to end before others."""
    fitting = sorted(
        (name for name, outcome in tests.items() if outcome == result or (result, outcome) == ("smaller", "passed")),
        key=lambda name: "/e2e/" not in name,
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
        missing = result == "not run"
        kept = kept and (result in KEPT or (missing and name not in needed))
        why = NO_CLUSTER if missing and name not in needed else SIZES.get(result, "")
        shown = "" if why == NO_CLUSTER else shown_by(tests, result)
        out.append(f"{WORDS.get(result, result):<8} {name:<22} {shown}{why}")
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
