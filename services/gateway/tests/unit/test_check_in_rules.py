import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.check_ins import DAYS, Day, days_of, rule_of


@pytest.mark.parametrize(
    ("days", "rule"),
    [
        ([], "FREQ=DAILY"),
        (list(DAYS), "FREQ=DAILY"),
        (["sun"], "FREQ=WEEKLY;BYDAY=SU"),
        (["fri", "mon"], "FREQ=WEEKLY;BYDAY=MO,FR"),
    ],
)
def test_days_become_a_rule(days: list[Day], rule: str) -> None:
    assert rule_of(frozenset(days)) == rule


@given(st.frozensets(st.sampled_from(DAYS), min_size=1))
def test_a_rule_of_days_tells_its_days_again(days: frozenset[Day]) -> None:
    assert frozenset(days_of(rule_of(days))) == days
    assert list(days_of(rule_of(days))) == [day for day in DAYS if day in days]


@pytest.mark.parametrize(
    "rule", ["", "FREQ=MONTHLY", "FREQ=WEEKLY;BYDAY=MO;INTERVAL=2", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=DAILY;COUNT=3"]
)
def test_a_rule_that_says_more_than_days_tells_none(rule: str) -> None:
    assert days_of(rule) == ()
