"""`make help` is the whole list, and CI calls nothing else."""

import os
import re
import subprocess

import pytest

from support.tree import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def test_help_prints_every_target_in_groups() -> None:
    page = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=30).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", page, re.MULTILINE)) == TARGETS
    assert [line for line in page.splitlines() if line and not line.startswith(" ")]


def test_every_check_has_a_target_and_is_part_of_check() -> None:
    listed = re.search(r"^CHECKS := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert listed is not None
    assert set(listed[1].replace("\\", " ").split()) == {name for name in TARGETS if name.startswith("check-")}


@pytest.mark.parametrize(
    ("given", "passed"),
    [([], "up"), (["DATA=/d", "PORT=9"], 'up --data "/d" --port "9"'), (["MODEL=small"], 'up --model "small"')],
)
def test_run_passes_on_what_was_said_and_nothing_else(given: list[str], passed: str) -> None:
    # What was not said is for the environment and `.env` to say.
    command = ["make", "--dry-run", "run", *given]
    env = {"PATH": os.environ["PATH"]}
    shown = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True, timeout=30).stdout
    assert shown.split("platformctl ")[-1].split() == passed.split()


@pytest.mark.parametrize("runner", [".ci/run", ".github/workflows/ci.yml"])
def test_runners_call_targets_that_exist(runner: str) -> None:
    commands = re.sub(r"^\s*#.*$", "", (ROOT / runner).read_text(), flags=re.MULTILINE)
    called = set(re.findall(r"\bmake ([a-z][a-z-]*)", commands))
    assert {"install", "check", "test"} <= called <= TARGETS
