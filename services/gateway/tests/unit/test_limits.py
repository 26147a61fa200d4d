from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.limits import Budget, Level, Verdict, take, together

BUDGET = Budget("guest_messages", per_minute=60, burst=3)


def test_a_burst_is_allowed_then_one_a_second() -> None:
    level: Level | None = None
    verdicts = []
    for now in (0.0, 0.0, 0.0, 0.0, 1.0, 1.0):
        level, verdict = take(level, BUDGET, now)
        verdicts.append(verdict.allowed)
    assert verdicts == [True, True, True, False, True, False]


def test_a_refusal_says_which_budget_and_when_to_come_again() -> None:
    slow = Budget("slow", per_minute=2, burst=1)
    level, _ = take(None, slow, 0.0)
    _, verdict = take(level, slow, 10.0)
    assert verdict == Verdict(allowed=False, retry_after=20, budget="slow")


def test_a_clock_that_goes_back_neither_adds_nor_blocks() -> None:
    level, _ = take(None, BUDGET, 100.0)
    level, verdict = take(level, BUDGET, 50.0)
    assert verdict.allowed
    assert level.at == 100.0


@given(
    st.lists(st.floats(0, 600), min_size=1, max_size=200),
    st.builds(Budget, st.just("b"), st.integers(1, 600), st.integers(1, 50)),
)
def test_never_more_than_burst_and_rate_allow(times: list[float], budget: Budget) -> None:
    level: Level | None = None
    allowed = 0
    begun = sorted(times)[0]
    for now in sorted(times):
        level, verdict = take(level, budget, now)
        allowed += verdict.allowed
        assert allowed <= budget.burst + (now - begun) * budget.per_minute / 60 + 1e-6


@given(st.floats(0, 0.999), st.integers(1, 600))
def test_waiting_as_told_is_enough(tokens: float, per_minute: int) -> None:
    budget = Budget("b", per_minute, burst=5)
    level, verdict = take(Level(tokens, 0.0), budget, 0.0)
    assert not verdict.allowed
    assert take(level, budget, float(verdict.retry_after) + 1e-6)[1].allowed


def test_of_several_the_strictest_counts() -> None:
    soon, late = Verdict(False, 1, "a"), Verdict(False, 9, "b")
    assert together([Verdict(True), soon, late]) == late
    assert together([Verdict(True), Verdict(True)]).allowed
