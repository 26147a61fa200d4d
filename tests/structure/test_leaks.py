"""The check that ends every run: no test leaves a process behind."""

import subprocess
from types import SimpleNamespace
from typing import cast

import pytest

from support import leaks
from support.leaks import LeakCheck


def test_a_process_that_stays_fails_the_run_and_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "WAIT_SECONDS", 0.2)
    check = LeakCheck()
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    left = subprocess.Popen(["sleep", "60"])
    check.pytest_sessionfinish(cast("pytest.Session", session))
    assert left.wait(5) < 0
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED


def test_what_ran_before_and_what_has_ended_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "WAIT_SECONDS", 0.2)
    before = subprocess.Popen(["sleep", "60"])
    check = LeakCheck()
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    subprocess.run(["sleep", "0"], check=True)
    check.pytest_sessionfinish(cast("pytest.Session", session))
    assert session.exitstatus == pytest.ExitCode.OK
    assert before.poll() is None
    before.kill()
    before.wait()
