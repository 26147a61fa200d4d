"""Note which tests show which promise of docs/guarantees.md, and how they ended.

Loaded by pytest for every run (`-p support.guarantees` in pyproject.toml). Writes build/guarantees.json, and adds to it
over several runs, so that `scripts/guarantees.py` can report on all suites together. Where a suite runs at a smaller
size, a test that is smaller there and passed is noted as `smaller`, one that is not run at it as `left`.
"""

import json
import os
from pathlib import Path

import pytest

MARKER = "guarantee"
REPORT = Path("build/guarantees.json")
SMALLER, FULL_SIZE = "smaller", "full_size"  # marks: what is less at the smaller size; not run at it
FULL = os.environ.get("CLUSTER_SIZE", "full") != "ci"  # of the cluster's tests; `.ci/run` has an hour for everything

Outcomes = dict[str, dict[str, str]]


def merge(known: Outcomes, found: Outcomes) -> Outcomes:
    """Return `known` with the outcomes of this run in place of the earlier ones of the same tests."""
    return {name: known.get(name, {}) | found.get(name, {}) for name in sorted({*known, *found})}


def worse(one: str | None, other: str) -> str:
    """Of two phases of one test (set-up, call, tear-down) the outcome that counts."""
    order = ("passed", "smaller", "left", "skipped", "failed")
    return other if one is None else max(one, other, key=order.index)


def sized(outcome: str, properties: set[str]) -> str:
    """Return the outcome with what the size made of it."""
    if outcome == "passed" and SMALLER in properties:
        return "smaller"
    return "left" if outcome == "skipped" and FULL_SIZE in properties else outcome


class Recorder:
    """Collects the outcomes of marked tests during one run; `full`: at full size."""

    def __init__(self, report: Path, *, full: bool = FULL) -> None:
        self.report = report
        self.full = full
        self.outcomes: Outcomes = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Carry the ids of the marker in the test's report, which also travels between processes."""
        for item in items:
            for mark in item.iter_markers(MARKER):
                item.user_properties.extend((MARKER, str(name)) for name in mark.args)
            if not self.full and item.get_closest_marker(FULL_SIZE):
                item.add_marker(pytest.mark.skip(reason="only at full size: make cluster-test"))
                item.user_properties.append((FULL_SIZE, True))
            elif not self.full and item.get_closest_marker(SMALLER):
                item.user_properties.append((SMALLER, True))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome of one phase of one test."""
        outcome = sized(report.outcome, {key for key, _ in report.user_properties})
        for key, name in report.user_properties:
            if key == MARKER:
                tests = self.outcomes.setdefault(str(name), {})
                tests[report.nodeid] = worse(tests.get(report.nodeid), outcome)

    def pytest_sessionfinish(self) -> None:
        """Write the report, if a marked test ran."""
        if not self.outcomes:
            return
        known: Outcomes = json.loads(self.report.read_text()) if self.report.is_file() else {}
        self.report.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(merge(known, self.outcomes), indent=2)
        self.report.write_text(f"{text}\n")


def pytest_configure(config: pytest.Config) -> None:
    """Register the recorder."""
    config.pluginmanager.register(Recorder(config.rootpath / REPORT), "guarantees")
