"""Run every bench of tests/bench and services/*/bench and join their figures: `make bench`.

A bench is a script that prints, as the last line of its standard output, a JSON list of
{"name", "value", "unit", "floor", "ratio"}; what it says while it works goes to standard error. Arguments are
passed on: `make bench ARGS="--model small"`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build/bench.json"
FIELDS = {"name", "value", "unit", "floor", "ratio"}

Figure = dict[str, Any]


def benches() -> list[Path]:
    found = [*ROOT.glob("tests/bench/*.py"), *ROOT.glob("services/*/bench/*.py")]
    return sorted(path for path in found if not path.name.startswith("_"))


def figures(output: str) -> list[Figure]:
    """Return the figures of a bench's output; raises ValueError when they are not what the contract says."""
    lines = output.strip().splitlines()
    found: list[Figure] = json.loads(lines[-1]) if lines else []
    for figure in found:
        if set(figure) != FIELDS:
            raise ValueError(f"a figure has {sorted(figure)}, not {sorted(FIELDS)}")
    return found


def missed(figure: Figure) -> bool:
    """Whether a figure has a floor and is under it: the ratio where there is one, else the value."""
    measured = figure["ratio"] if figure["ratio"] is not None else figure["value"]
    return figure["floor"] is not None and measured < figure["floor"]


def row(figure: Figure) -> str:
    floor = "" if figure["floor"] is None else f"floor {figure['floor']:g}"
    ratio = "" if figure["ratio"] is None else f"ratio {figure['ratio']:.2f}"
    return f"{figure['name']:<52} {figure['value']:>10.3f} {figure['unit']:<10} {ratio:<12} {floor}".rstrip()


def main() -> int:
    found: list[Figure] = []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}  # benches start services as the tests do
    for bench in benches():
        sys.stderr.write(f"{bench.relative_to(ROOT)}\n")
        done = subprocess.run(
            [sys.executable, str(bench)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            sys.stderr.write(f"{bench.relative_to(ROOT)} ended with status {done.returncode}\n")
            return 1
        found += figures(done.stdout)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(found, indent=2) + "\n")
    sys.stdout.write("".join(f"{row(figure)}\n" for figure in found))
    low = [figure["name"] for figure in found if missed(figure)]
    if low:
        sys.stderr.write(f"under their floor: {', '.join(low)}\n")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
