"""A backend that failed repeatedly is left alone."""

from llm_inference.domain.breaker import Breaker


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    breaker = Breaker()
    breaker.failed(10.0)
    breaker.failed(10.0)
    assert breaker.wait_seconds(10.0) == 0
    breaker.failed(10.0)
    assert breaker.wait_seconds(10.25) == 0.75
    assert breaker.wait_seconds(11.0) == 0


def test_each_further_failure_doubles_the_pause_up_to_the_most() -> None:
    breaker = Breaker(threshold=1, first_seconds=1.0, most_seconds=5.0)
    pauses = []
    for _ in range(4):
        breaker.failed(0.0)
        pauses.append(breaker.wait_seconds(0.0))
    assert pauses == [1.0, 2.0, 4.0, 5.0]


def test_a_success_forgets_the_failures() -> None:
    breaker = Breaker(threshold=2)
    breaker.failed(0.0)
    breaker.succeeded()
    breaker.failed(0.0)
    assert breaker.wait_seconds(0.0) == 0
