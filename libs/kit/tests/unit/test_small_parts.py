"""Ids, clock, back-off and fault points."""

import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

import pytest

from kit import faultpoints
from kit.backoff import Backoff
from kit.clock import FixedClock, SystemClock
from kit.ids import new_id


def test_ids_are_version_7_unique_and_sort_by_time() -> None:
    made = [new_id() for _ in range(200)]
    assert {UUID(item).version for item in made} == {7}
    assert len(set(made)) == len(made)
    assert [item[:13] for item in made] == sorted(item[:13] for item in made)


def test_the_test_clock_shifts_and_survives_a_broken_file(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = SystemClock(str(file))
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    file.write_text("3600")
    assert 3590 < (clock.now() - datetime.now(UTC)).total_seconds() < 3610
    file.write_text("not a number")
    assert 3590 < (clock.now() - datetime.now(UTC)).total_seconds() < 3610


def test_a_test_can_make_this_machines_clock_wrong_beside_the_worlds(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = SystemClock(str(file))
    assert clock.world_offset() == timedelta()
    file.write_text("3600 -600")
    assert clock.world_offset() == timedelta(hours=1)
    assert 2990 < (clock.now() - datetime.now(UTC)).total_seconds() < 3010


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(datetime(2026, 3, 29, tzinfo=UTC))
    clock.advance(90)
    assert clock.now() == datetime(2026, 3, 29, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() == 90


def test_delays_grow_to_their_limit_and_vary_within_the_jitter() -> None:
    delays = list(islice(Backoff(first=1, factor=2, most=8, jitter=0.1, randomness=random.Random(7)).delays(), 6))
    for delay, middle in zip(delays, [1, 2, 4, 8, 8, 8], strict=True):
        assert middle * 0.9 <= delay <= middle * 1.1


def test_a_fault_point_that_is_not_armed_does_nothing() -> None:
    faultpoints.arm("")
    faultpoints.reached("after_claim")


def test_an_armed_point_raises_once_for_its_file(tmp_path: Path) -> None:
    file = tmp_path / "armed"
    file.touch()
    faultpoints.arm(f"step_recall!@{file}")
    try:
        with pytest.raises(faultpoints.InjectedFaultError, match="what was said"):
            faultpoints.reached("step_recall", "what was said")
        faultpoints.reached("step_recall", "what was said")
    finally:
        faultpoints.arm("")


def test_a_point_kills_the_process_that_its_file_names(tmp_path: Path) -> None:
    store = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (tmp_path / "armed").write_text(str(store.pid))
    faultpoints.arm(f"after_claim@{tmp_path / 'armed'}")
    try:
        faultpoints.reached("after_claim")
        faultpoints.reached("after_claim")
    finally:
        faultpoints.arm("")
        assert store.wait(60) == -signal.SIGKILL


def test_a_fault_point_bound_to_a_file_does_nothing_once_the_file_is_gone(tmp_path: Path) -> None:
    faultpoints.arm(f"after_claim@{tmp_path / 'armed'}")
    try:
        faultpoints.reached("after_claim")
    finally:
        faultpoints.arm("")


@pytest.mark.parametrize("factor", [1.5, 3.0])
def test_a_new_iterator_starts_again(factor: float) -> None:
    backoff = Backoff(first=1, factor=factor, jitter=0)
    assert next(backoff.delays()) == next(backoff.delays()) == 1
