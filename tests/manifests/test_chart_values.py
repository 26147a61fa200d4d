"""`make chart-values` says every problem of values files at once, and takes what a cluster with all kinds takes."""

import subprocess
from pathlib import Path

import pytest

from manifests.rendering import CHART, SETS
from support.tree import ROOT

LAPTOP = CHART / "values-laptop.yaml"


def asked(*files: Path) -> subprocess.CompletedProcess[str]:
    """Run it and return how it ended."""
    return subprocess.run(
        [str(ROOT / "scripts/chart.sh"), "values", *map(str, files)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("values", list(SETS))
def test_values_for_kinds_of_other_projects_can_be_used(values: str) -> None:
    done = asked(*SETS[values])
    assert (done.returncode, done.stdout) == (0, "The values can be used.\n"), done.stdout


def test_problems_of_the_schema_and_of_the_meaning_are_said_together(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("gateway: {replica: 2}\nmonitoring: {serviceMonitor: {enabled: true}}\nnats: {replicas: 2}\n")
    done = asked(LAPTOP, mine)
    assert done.returncode == 1
    assert all(word in done.stdout for word in ("replica", "networkPolicies.monitoring", "nats.replicas: 2 servers"))
