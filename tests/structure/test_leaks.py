"""The check that ends every run: no test leaves a process behind."""

import subprocess
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from support import leaks
from support.leaks import LeakCheck

# The check is shown processes of these tests alone: what servers of other tests start meanwhile must not be ended.


def test_a_process_that_stays_fails_the_run_and_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "WAIT_SECONDS", 0.2)
    running: list[psutil.Process] = []
    check = LeakCheck(lambda: running)
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    left = subprocess.Popen(["sleep", "60"])
    running.append(psutil.Process(left.pid))
    check.pytest_sessionfinish(cast("pytest.Session", session))
    assert left.wait(30) < 0
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED


def test_what_ran_before_and_what_has_ended_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "WAIT_SECONDS", 0.2)
    before = subprocess.Popen(["sleep", "60"])
    running = [psutil.Process(before.pid)]
    check = LeakCheck(lambda: running)
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    ended = subprocess.Popen(["sleep", "60"])
    running.append(psutil.Process(ended.pid))
    ended.kill()
    ended.wait()
    check.pytest_sessionfinish(cast("pytest.Session", session))
    assert session.exitstatus == pytest.ExitCode.OK
    assert before.poll() is None
    before.kill()
    before.wait()
