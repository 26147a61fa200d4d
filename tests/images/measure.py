"""Print, as JSON, the bytes of what a Python image holds: test_sizes.py runs it inside, naming the engine."""

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

SITE = next(Path("/opt/venv/lib").glob("python3*/site-packages"))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: list[str], installed: dict[str, Distribution]) -> set[str]:
    """What these packages need, themselves included, of what is installed."""
    ahead = [name for name in names if name in installed]
    for name in ahead:
        for line in installed[name].requires or ():
            needed = plain(re.split(r"[\s\[;<>=!~(]", line, maxsplit=1)[0])
            if needed in installed and needed not in ahead and "extra ==" not in line:
                ahead.append(needed)
    return set(ahead)


def size(distribution: Distribution) -> int:
    """The bytes of a package's files and of their bytecode."""
    total = 0
    for file in distribution.files or ():
        path = SITE / file
        beside = path.parent / "__pycache__"
        forms = [path, path.with_suffix(".pyc")] if path.suffix == ".py" else [path]
        forms += beside.glob(f"{path.stem}.cpython-*.pyc") if path.suffix == ".py" else []
        total += sum(form.stat().st_size for form in forms if form.is_file())
    return total


def folder(path: str) -> int:
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file() and not file.is_symlink())


installed = {plain(found.metadata["Name"]): found for found in distributions(path=[str(SITE)])}
engine = closure([plain(name) for name in sys.argv[1:]], installed)
sys.stdout.write(
    json.dumps(
        {
            "engine": sum(size(installed[name]) for name in engine),
            "packages": folder("/opt/venv"),
            "weights": folder("/models"),
            "client": folder("/opt/postgresql-client"),
            "code": folder("/app"),
            "largest": sorted(((size(found), name) for name, found in installed.items()), reverse=True)[:8],
            "engine_names": sorted(engine),
        }
    )
)
