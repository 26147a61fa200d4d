"""Figures of benches are checked for their shape and against their floors."""

import json
from typing import Any

import pytest

from scripts.bench import figures, missed

FIGURE = {"name": "tokens", "value": 9.5, "unit": "1/s", "floor": 0.9, "ratio": 0.95}


def test_the_last_line_of_a_bench_holds_its_figures() -> None:
    assert figures(f"a remark\n{json.dumps([FIGURE])}\n") == [FIGURE]
    assert figures("") == []


def test_a_figure_without_its_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unit"):
        figures(json.dumps([{name: value for name, value in FIGURE.items() if name != "unit"}]))


@pytest.mark.parametrize(
    ("changes", "is_missed"),
    [
        ({}, False),
        ({"ratio": 0.5}, True),
        ({"ratio": None}, False),
        ({"ratio": None, "value": 0.1}, True),
        ({"floor": None}, False),
    ],
)
def test_the_floor_is_held_against_the_ratio_or_else_the_value(changes: dict[str, Any], is_missed: bool) -> None:
    assert missed(FIGURE | changes) is is_missed
