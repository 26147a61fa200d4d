"""What time it may be, by clocks of which none is believed alone."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest

from coaching.app.dispatch import Dispatch
from coaching.app.ports import DuePersons
from coaching.app.trusted_time import TrustedTime
from coaching.domain.proactive import Limits

NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NO_TIME = timedelta()


class Machine:
    """A machine in a world: real time goes on, its clock has an error, and a test may shift all of it."""

    def __init__(self) -> None:
        self.passed = self.error = self.world = NO_TIME

    def now(self) -> datetime:
        return NOON + self.passed + self.error + self.world

    def world_offset(self) -> timedelta:
        return self.world

    def steady(self) -> float:
        return self.passed.total_seconds() + 4242.0

    @property
    def database(self) -> datetime:
        return NOON + self.passed


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def trusted(machine: Machine) -> TrustedTime:
    return TrustedTime(machine, machine.steady)


def after(trusted: TrustedTime, machine: Machine, steps: Sequence[timedelta]) -> tuple[timedelta, timedelta]:
    """Look at the clocks after each step; return how early and how late the last look says that it may be."""
    found = trusted.moments(machine.database)
    for step in steps:
        machine.passed += step
        found = trusted.moments(machine.database)
    true = machine.database + machine.world
    return found[0] - true, found[-1] - true


def test_clocks_that_agree_are_one_time(machine: Machine, trusted: TrustedTime) -> None:
    assert after(trusted, machine, [MINUTE, HOUR]) == (NO_TIME, NO_TIME)
    assert trusted.earliest() == machine.now()


@pytest.mark.parametrize("error", [HOUR, -HOUR, timedelta(seconds=3), timedelta(days=400)])
def test_a_clock_that_jumps_moves_one_end_only(machine: Machine, trusted: TrustedTime, error: timedelta) -> None:
    after(trusted, machine, [MINUTE])
    machine.error = error
    for _ in range(5):
        assert after(trusted, machine, [MINUTE]) == (min(error, NO_TIME), max(error, NO_TIME))
    assert trusted.earliest() == machine.database + min(error, NO_TIME)
    machine.error = NO_TIME
    assert after(trusted, machine, [MINUTE]) == (NO_TIME, NO_TIME)


def test_a_jump_that_the_database_contradicts_is_never_believed(machine: Machine, trusted: TrustedTime) -> None:
    after(trusted, machine, [MINUTE])
    machine.error = HOUR
    assert after(trusted, machine, [MINUTE] * 180) == (NO_TIME, HOUR)


def test_a_jump_that_the_database_makes_too_is_believed_after_an_hour(machine: Machine, trusted: TrustedTime) -> None:
    """Both are on one machine, whose clock was set: the steady clock alone tells that."""
    trusted.moments(machine.database)
    machine.error = HOUR

    def spread() -> timedelta:
        machine.passed += MINUTE
        found = trusted.moments(machine.now())
        return found[-1] - found[0]

    assert [spread() for _ in range(60)] == [HOUR] * 60
    assert [spread() for _ in range(5)][-1] == NO_TIME


def test_a_clock_that_is_wrong_from_the_start_is_right_once_it_is_set(machine: Machine, trusted: TrustedTime) -> None:
    machine.error = -HOUR
    assert after(trusted, machine, [MINUTE] * 3) == (-HOUR, NO_TIME)
    machine.error = NO_TIME
    assert after(trusted, machine, []) == (NO_TIME, NO_TIME)


def test_a_world_that_a_test_shifts_is_no_error(machine: Machine, trusted: TrustedTime) -> None:
    after(trusted, machine, [MINUTE])
    machine.world = timedelta(days=3)
    assert after(trusted, machine, [MINUTE]) == (NO_TIME, NO_TIME)
    assert trusted.earliest() == machine.now()


class NothingDue:
    """A schedule that is asked in vain; its database is on the same machine, and has the same clock."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.asked_at: list[datetime] = []

    async def organizations_due(self, at: datetime, world_seconds: float) -> tuple[datetime, list[str]]:
        self.asked_at.append(at)
        return self._machine.now(), []

    def due(
        self, organization_id: str, at: datetime, world_seconds: float, most: int
    ) -> AbstractAsyncContextManager[DuePersons | None]:
        raise NotImplementedError

    async def put_off(self, organization_id: str, person_ids: Sequence[str], at: datetime, until: datetime) -> None:
        raise NotImplementedError


@pytest.mark.guarantee("P4-clock")
async def test_a_jump_is_noticed_although_nothing_was_due_before(machine: Machine, trusted: TrustedTime) -> None:
    schedule = NothingDue(machine)
    dispatch = Dispatch(schedule, {}, Limits(3, 15, NO_TIME), trusted, lambda: None)
    await dispatch()
    machine.passed, machine.error = MINUTE, HOUR
    await dispatch()
    assert schedule.asked_at == [NOON, NOON + MINUTE]
