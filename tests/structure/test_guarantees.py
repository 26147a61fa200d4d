"""docs/guarantees.md and the markers of the tests speak of the same promises."""

import re

from support.tree import ROOT, suites

PROMISE = re.compile(r"^\| `([A-Za-z0-9-]+)` \|", re.MULTILINE)
MARKED = re.compile(r"guarantee\(([^)]*)\)")
NAME = re.compile(r"[\"']([A-Za-z0-9-]+)[\"']")


def promised() -> set[str]:
    return set(PROMISE.findall((ROOT / "docs/guarantees.md").read_text()))


def marked() -> set[str]:
    texts = [path.read_text() for path in suites() if not path.is_relative_to(ROOT / "tests/support")]
    return {name for text in texts for arguments in MARKED.findall(text) for name in NAME.findall(arguments)}


def test_every_marker_names_a_promise_of_the_page() -> None:
    assert marked() <= promised()


def test_every_promise_of_the_page_has_a_test() -> None:
    assert promised() <= marked()


def test_the_page_links_to_tests_that_carry_the_marker() -> None:
    wrong = []
    for line in (ROOT / "docs/guarantees.md").read_text().splitlines():
        for name in PROMISE.findall(line):
            links = re.findall(r"\]\(\.\./([^)]+)\)", line)
            wrong += [(name, link) for link in links if f'"{name}"' not in (ROOT / link).read_text()]
            wrong += [] if links else [(name, "no link")]
    assert not wrong
