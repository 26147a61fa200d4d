"""What import-linter cannot say: what domain may import, and that no kind forgets a member."""

import importlib
import sys
from pathlib import Path

import pytest

from support.tree import ROOT, imported

# The recurrence library: which days a rule means is the domain itself, and pure; nobody writes RFC 5545 twice.
DOMAIN_MAY_ALSO = {"dateutil"}

# Each folder of a kind. Its registry.py names every other file or folder in it, save those listed here as shared.
KINDS = (
    "services/channel-adapter/src/channel_adapter/channels",
    "services/coaching/src/coaching/triggers",
    "services/llm-inference/src/llm_inference/providers",
    "services/vector-search/src/vector_search/embedders",
    "services/vector-search/src/vector_search/stores",
)


def domain_files() -> list[Path]:
    return sorted([*ROOT.glob("services/*/src/*/domain/**/*.py"), *ROOT.glob("services/*/src/*/domain.py")])


def test_domain_imports_only_the_standard_library_and_the_recurrence_library() -> None:
    foreign = {}
    for path in domain_files():
        service = path.relative_to(ROOT / "services").parts[2]
        names = {
            name
            for name in imported(path)
            if name.partition(".")[0] not in sys.stdlib_module_names | DOMAIN_MAY_ALSO
            and not name.startswith(f"{service}.domain")
        }
        if names:
            foreign[str(path.relative_to(ROOT))] = names
    assert not foreign


@pytest.mark.parametrize("kind", KINDS)
def test_a_registry_lists_every_member_of_its_folder(kind: str) -> None:
    folder = ROOT / kind
    package = f"{folder.parent.name}.{folder.name}"
    members = {
        path.stem
        for path in folder.iterdir()
        if (path.is_dir() or path.suffix == ".py") and not path.name.startswith("_") and path.stem != "registry"
    }
    assert members, f"{kind} has no member"
    registry = importlib.import_module(f"{package}.registry")
    listed = imported(Path(str(registry.__file__)))
    forgotten = {
        name for name in members if not any(f"{module}.".startswith(f"{package}.{name}.") for module in listed)
    }
    assert not forgotten
