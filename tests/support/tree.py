"""The repository as tests of structure see it."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "libs/contracts"


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the product and its length in lines, from `def` to its last line."""

    path: Path
    name: str
    lines: int


def sources() -> list[Path]:
    """Return every Python file of the product that a person wrote: no test, nothing generated."""
    found = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("scripts/*.py")]
    return sorted(path for path in found if not path.is_relative_to(GENERATED))


def suites() -> list[Path]:
    """Return every Python file of the tests."""
    found = [*ROOT.glob("libs/*/tests/**/*.py"), *ROOT.glob("services/*/tests/**/*.py"), *ROOT.glob("tests/**/*.py")]
    return sorted(found)


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> list[Function]:
    """Return every function and method of a file, nested ones too."""
    return [
        Function(path, node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def imported(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names
