"""The line in front of a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_inference.domain.completion import Priority
from llm_inference.domain.errors import BusyError
from llm_inference.domain.line import Line, Ticket

PEOPLE, BACKGROUND = Priority.INTERACTIVE, Priority.BACKGROUND
AMPLE = 1_000.0


def test_who_finds_a_free_worker_does_not_wait() -> None:
    line = Line(workers=2, most_waiting=0)
    assert line.join(PEOPLE, AMPLE).admitted
    assert line.join(PEOPLE, AMPLE).admitted


def test_the_others_are_served_in_the_order_in_which_they_came() -> None:
    line = Line(workers=1, most_waiting=5)
    running = line.join(PEOPLE, AMPLE)
    waiting = [line.join(PEOPLE, AMPLE) for _ in range(3)]
    assert [line.ahead(ticket) for ticket in waiting] == [0, 1, 2]
    line.leave(running)
    assert [ticket.admitted for ticket in waiting] == [True, False, False]


def test_a_person_goes_before_background_work() -> None:
    line = Line(workers=1, most_waiting=5)
    running = line.join(BACKGROUND, AMPLE)
    nudge = line.join(BACKGROUND, AMPLE)
    person = line.join(PEOPLE, AMPLE)
    assert (line.ahead(person), line.ahead(nudge)) == (0, 1)
    line.leave(running)
    assert person.admitted
    assert not nudge.admitted


def test_background_work_leaves_the_last_worker_to_people() -> None:
    line = Line(workers=2, most_waiting=5)
    first, second = line.join(BACKGROUND, AMPLE), line.join(BACKGROUND, AMPLE)
    assert first.admitted
    assert not second.admitted
    assert line.join(PEOPLE, AMPLE).admitted


def test_a_full_line_refuses() -> None:
    line = Line(workers=1, most_waiting=1)
    line.join(PEOPLE, AMPLE)
    line.join(PEOPLE, AMPLE)
    with pytest.raises(BusyError, match="full"):
        line.join(PEOPLE, AMPLE)
    assert len(line.waiting) == 1


def test_in_a_full_line_a_person_takes_the_place_of_background_work() -> None:
    line = Line(workers=1, most_waiting=1)
    line.join(PEOPLE, AMPLE)
    nudge = line.join(BACKGROUND, AMPLE)
    person = line.join(PEOPLE, AMPLE)
    assert nudge.displaced
    assert line.waiting == [person]


def test_a_line_that_is_too_long_for_the_deadline_refuses_at_once() -> None:
    line = Line(workers=1, most_waiting=5)
    line.leave(line.join(PEOPLE, AMPLE), seconds=10.0)
    line.join(PEOPLE, AMPLE)
    with pytest.raises(BusyError, match="deadline"):
        line.join(PEOPLE, 19.0)  # ten to wait and ten to be served
    assert not line.join(PEOPLE, 21.0).admitted


def test_the_mean_follows_what_completions_take() -> None:
    line = Line(workers=1, most_waiting=0)
    for seconds in (10.0, 20.0):
        line.leave(line.join(PEOPLE, AMPLE), seconds)
    assert line.mean_seconds == pytest.approx(12.0)


steps = st.lists(st.tuples(st.sampled_from(["person", "nudge", "leave", "give up"]), st.integers(0, 9)), max_size=60)


@given(steps, st.integers(1, 4), st.integers(0, 5))
def test_it_is_never_over_its_bounds_and_never_idle_while_a_person_waits(
    taken: list[tuple[str, int]], workers: int, most_waiting: int
) -> None:
    line = Line(workers, most_waiting)
    for step, which in taken:
        group = line.running if step == "leave" else line.waiting
        if step in ("person", "nudge"):
            _join(line, PEOPLE if step == "person" else BACKGROUND)
        elif group:
            line.leave(group[which % len(group)], 1.0 if step == "leave" else None)
        assert len(line.running) <= workers
        assert len(line.waiting) <= most_waiting
        assert not any(ticket.admitted or ticket.displaced for ticket in line.waiting)
        if any(ticket.priority is PEOPLE for ticket in line.waiting):
            assert len(line.running) == workers
        if line.waiting:
            assert line.running


def _join(line: Line, priority: Priority) -> Ticket | None:
    try:
        return line.join(priority, AMPLE)
    except BusyError:
        return None
