"""The report of promises: what was shown, what failed, and above all what was not run."""

import pytest

from scripts.guarantees import report
from support.guarantees import Outcomes, merge, sized, worse

PAGE = "| id | what | figure |\n|---|---|---|\n| `P2-once` | Answered once | 5 |\n| `P3-order` | In order | 3 |\n"


def shown(found: Outcomes) -> tuple[dict[str, str], bool]:
    lines, kept = report(PAGE, found)
    return {line[9:31].strip(): line[:9].strip() for line in lines}, kept


def test_a_promise_without_a_test_was_not_run() -> None:
    assert shown({}) == ({"P2-once": "not run", "P3-order": "not run"}, False)


@pytest.mark.parametrize(
    ("tests", "result"),
    [
        ({"a": "passed"}, "passed"),
        ({"a": "passed", "b": "skipped"}, "passed"),
        ({"a": "skipped"}, "not run"),
        ({"a": "passed", "b": "failed"}, "failed"),
        ({"a": "smaller", "b": "passed"}, "smaller"),
        ({"a": "passed", "b": "left"}, "smaller"),
        ({"a": "smaller", "b": "failed"}, "failed"),
        ({"a": "left", "b": "skipped"}, "not run"),
    ],
)
def test_a_promise_holds_when_a_test_passed_and_none_failed(tests: dict[str, str], result: str) -> None:
    found, kept = shown({"P2-once": tests, "P3-order": {"c": "passed"}})
    assert found["P2-once"] == result
    assert kept == (result in ("passed", "smaller") or "left" in tests.values())


def test_a_test_is_as_good_as_its_worst_phase() -> None:
    assert worse(None, "passed") == "passed"
    assert worse("passed", "failed") == "failed"
    assert worse("skipped", "passed") == "skipped"


@pytest.mark.parametrize(
    ("outcome", "properties", "noted"),
    [
        ("passed", {"guarantee"}, "passed"),
        ("passed", {"guarantee", "smaller"}, "smaller"),
        ("skipped", {"guarantee", "full_size"}, "left"),
        ("skipped", {"guarantee", "smaller"}, "skipped"),
        ("failed", {"guarantee", "smaller"}, "failed"),
    ],
)
def test_a_size_never_makes_an_outcome_better(outcome: str, properties: set[str], noted: str) -> None:
    assert sized(outcome, properties) == noted


def test_a_line_says_when_less_was_run_than_promised() -> None:
    lines, kept = report(PAGE, {"P2-once": {"a": "smaller"}, "P3-order": {"b": "left"}})
    assert kept
    assert lines[0].startswith("smaller  P2-once")
    assert "smaller than in full" in lines[0]
    assert lines[1].startswith("not run  P3-order")
    assert "only at full size" in lines[1]


def test_a_later_run_replaces_its_own_tests_and_keeps_the_others() -> None:
    known = {"P2-once": {"a": "failed", "b": "passed"}}
    assert merge(known, {"P2-once": {"a": "passed"}, "P3-order": {"c": "passed"}}) == {
        "P2-once": {"a": "passed", "b": "passed"},
        "P3-order": {"c": "passed"},
    }


def test_a_failing_test_is_the_one_that_is_named() -> None:
    lines, _ = report(PAGE, {"P2-once": {"a": "passed", "tests/e2e/b": "failed"}, "P3-order": {"c": "passed"}})
    assert lines[0].endswith("tests/e2e/b (and 1 more)")
    assert lines[1].endswith("c")


def test_what_needs_a_cluster_may_be_left_unshown_but_never_fail() -> None:
    page = f"{PAGE}\n## On a cluster\n\n| `K8S-up` | It installs | 1 |\n"
    found: Outcomes = {"P2-once": {"a": "passed"}, "P3-order": {"b": "passed"}}
    assert not report(page, found)[1]
    lines, kept = report(page, found, cluster=False)
    assert kept
    assert lines[2].endswith("not run here: no cluster")
    assert not report(page, {**found, "K8S-up": {"c": "failed"}}, cluster=False)[1]
    assert not report(page, {"P2-once": {"a": "passed"}}, cluster=False)[1]
