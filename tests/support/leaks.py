"""No test leaves a process behind: looked at once, when everything has been torn down."""

from collections.abc import Callable

import psutil
import pytest

from support.platform import none_left

WAIT_SECONDS = 10.0


def below_us() -> list[psutil.Process]:
    """Every process that this one has started, and those that they have."""
    return psutil.Process().children(recursive=True)


class LeakCheck:
    """Fails the run, by name, for every process that its tests left running, and ends it."""

    def __init__(self, below: Callable[[], list[psutil.Process]] = below_us) -> None:
        self._below = below
        self._left: list[str] = []
        self._before = {child.pid for child in below()}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """All fixtures are down by now; what still runs below us is nobody's."""
        started = [child for child in self._below() if child.pid not in self._before]
        for process in none_left(started, WAIT_SECONDS):
            self._left.append(f"{process.pid} {process.name()}")
            process.kill()
        if self._left:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which."""
        if self._left:
            terminalreporter.section("processes left behind", sep="=", red=True)
            terminalreporter.line(", ".join(self._left))
