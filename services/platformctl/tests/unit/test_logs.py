"""Log files bounded in size, and the last error in them."""

import json
from pathlib import Path

import pytest

from platformctl.supervisor.logs import RotatingLog, last_error


def test_a_full_log_moves_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "x.log", max_bytes=10, old_files=2)
    for number in range(4):
        log.write(f"line {number} xxxx\n".encode())
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert (tmp_path / "x.log.1").read_text() == "line 3 xxxx\n"
    assert (tmp_path / "x.log.2").read_text() == "line 2 xxxx\n"


def test_a_log_that_is_there_is_continued(tmp_path: Path) -> None:
    for word in ("one", "two"):
        log = RotatingLog(tmp_path / "x.log")
        log.write(f"{word}\n".encode())
        log.close()
    assert (tmp_path / "x.log").read_text() == "one\ntwo\n"


def test_a_log_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    RotatingLog(tmp_path / "logs" / "x.log").close()
    assert (tmp_path / "logs" / "x.log").stat().st_mode & 0o777 == 0o600


def test_an_error_torn_over_two_writes_is_one_line(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "x.log")
    log.write(b"fatal: no ")
    log.write(b"room\n")
    assert log.last_error() == "fatal: no room"
    log.forget()
    assert log.last_error() == ""
    log.close()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], ""),
        (["starting", "", "done"], "done"),
        (["FATAL:  role is missing", "LOG:  shutting down"], "FATAL:  role is missing"),
        ([json.dumps({"level": "error", "event": "lost", "error": "OSError"}), "bye"], "error: lost: OSError"),
        ([json.dumps({"level": "error", "event": "lost"}), "gateway: cannot start: x"], "gateway: cannot start: x"),
        (["gateway: settings: PORT: too high", "bye"], "gateway: settings: PORT: too high"),
        ([json.dumps({"level": "info", "event": "started"})], ""),
        (["{not json: error"], "{not json: error"),
    ],
)
def test_the_last_error_is_the_line_that_says_why(lines: list[str], said: str) -> None:
    assert last_error(lines) == said


def test_a_very_long_line_is_cut() -> None:
    assert len(last_error(["x" * 5000])) < 500
