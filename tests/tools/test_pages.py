"""Commands are found in a page as they are written."""

import json
import re
import subprocess
import sys

import pytest

from support.cluster.pages import CHANGES, blocks
from support.tree import ROOT


def test_a_block_is_found_with_its_kind_and_its_heading() -> None:
    page = "# A\n\n```sh\nls\n```\n\n## B\n\n```sh background\nsleep 9\n```\n\n```yaml\nx: 1\n```\n"
    assert [(block.kind, block.text, block.under) for block in blocks(page)] == [
        ("", "ls\n", "A"), ("background", "sleep 9\n", "B"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("helm upgrade coach chart --set a=1", True),
        ("kubectl --namespace $NAMESPACE delete secret x", True),
        ("platformctl cluster scale-down --namespace x", True),
        ("kubectl --namespace $NAMESPACE get pods", False),
        ("helm template coach chart > my-manifests.yaml\nkubectl diff --filename my-manifests.yaml || true", False),
        ("helm history coach\nplatformctl cluster versions", False),
    ],
)
def test_a_command_that_changes_something_is_known(command: str, changes: bool) -> None:
    assert bool(CHANGES.search(command)) is changes


@pytest.mark.parametrize(
    ("history", "previous"),
    [
        (["superseded", "deployed"], 1),
        (["deployed", "failed"], 1),
        (["superseded", "deployed", "failed"], 2),
        (["superseded", "failed", "superseded", "deployed"], 3),
    ],
)
def test_going_back_goes_to_the_last_version_that_ran(history: list[str], previous: int) -> None:
    page = (ROOT / "docs/operations/rollback.md").read_text()
    [program] = re.findall(r"python3 -c '(.*?)'", page, re.DOTALL)
    listed = json.dumps([{"revision": number, "status": status} for number, status in enumerate(history, 1)])
    found = subprocess.run([sys.executable, "-c", program], input=listed, capture_output=True, text=True, check=True)
    assert int(found.stdout) == previous
