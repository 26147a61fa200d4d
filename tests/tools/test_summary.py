"""The last line of .ci/run adds up every run of pytest."""

import pytest

from scripts.summary import counts, summary

VERBOSE = "===== 3 failed, 5 passed, 1 skipped, 1 warning in 3.22s ====="
QUIET = "12 passed in 0.50s"
LONG = "12 passed, 1 error in 100.50s (0:01:40)"
COLOURED = "\x1b[32m===== \x1b[1m7 passed\x1b[0m\x1b[32m in 1.00s =====\x1b[0m"


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("", "no tests ran"),
        ("no summary here: 3 passed", "no tests ran"),
        (VERBOSE, "3 failed, 5 passed, 1 skipped, 1 warnings"),
        (QUIET, "12 passed"),
        (COLOURED, "7 passed"),
        (f"{VERBOSE}\nnoise\n{QUIET}\n{LONG}\n", "3 failed, 29 passed, 1 skipped, 1 warnings, 1 errors"),
    ],
)
def test_outcomes_are_added_up(log: str, line: str) -> None:
    assert summary(counts(log), 60) == f"===== {line} in 60.00s =====\n"
