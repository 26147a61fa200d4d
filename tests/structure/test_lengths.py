"""Files and functions stay short enough to be read at once; kit stays small enough to be known by heart."""

from pathlib import Path

import pytest

from support.tree import ROOT, functions, lines, sources, suites

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
# One function in a hundred may be longer: a table or a script that would not read better in pieces.
LONG_FUNCTIONS_SHARE = 0.01
KIT = ROOT / "libs/kit/src/kit"
KIT_LINES = 1500
KIT_MODULE_LINES = 200


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_longer_than_400_lines() -> None:
    long = {name(path): lines(path) for path in [*sources(), *suites()] if lines(path) > LONGEST_FILE}
    assert not long


def test_a_function_of_more_than_50_lines_is_an_exception() -> None:
    every = [function for path in sources() for function in functions(path)]
    long = [f"{name(f.path)}:{f.name} ({f.lines})" for f in every if f.lines > LONGEST_FUNCTION]
    assert len(long) <= len(every) * LONG_FUNCTIONS_SHARE, long


def test_kit_stays_small() -> None:
    modules = {path: lines(path) for path in KIT.rglob("*.py")}
    assert sum(modules.values()) < KIT_LINES
    assert not {name(path): count for path, count in modules.items() if count >= KIT_MODULE_LINES}


@pytest.mark.parametrize("package", ["libs/kit", *sorted(name(path.parent) for path in ROOT.glob("services/*/src"))])
def test_every_package_has_a_readme(package: str) -> None:
    assert (ROOT / package / "README.md").is_file()
