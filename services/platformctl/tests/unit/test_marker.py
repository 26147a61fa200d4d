"""What may follow on what is installed, and what the marker keeps of a run that failed."""

from dataclasses import asdict, replace

import pytest

from platformctl.cluster.marker import LONGEST_ERROR, Marker, refused

NOTHING = Marker()
INSTALLED = Marker(revision="0004", database="bundled", app="1.0", stream_replicas="3", at="2026-11-23T05:00:00Z")
WANTED = replace(INSTALLED, revision="", app="1.1")
EXTERNAL = replace(WANTED, database="external")
NONE: frozenset[str] = frozenset()

ALLOWED = [
    ("a first install", NOTHING, WANTED, None, NONE),
    ("a first install on a database that has data", NOTHING, WANTED, "0003", NONE),
    ("an upgrade", INSTALLED, WANTED, "0004", NONE),
    ("going back on a newer schema", INSTALLED, WANTED, "0099", NONE),
    ("a database whose data was moved", INSTALLED, EXTERNAL, "0004", NONE),
    ("more replicas", INSTALLED, replace(WANTED, stream_replicas="5"), "0004", NONE),
    (
        "another embedding model: its vectors are made anew",
        INSTALLED,
        replace(WANTED, embedding_model="b"),
        "0004",
        NONE,
    ),
    ("a first install that failed, again", NOTHING.failed("migrate", "no", "1.0"), WANTED, None, NONE),
    ("an empty database, meant", INSTALLED, WANTED, None, frozenset({"empty-database"})),
    (
        "fewer replicas, meant",
        INSTALLED,
        replace(WANTED, stream_replicas="1"),
        "0004",
        frozenset({"fewer-stream-replicas"}),
    ),
]

REFUSED = [
    ("the database lost its data", INSTALLED, WANTED, None, "it is empty now. Restore it, or allow empty-database"),
    ("another database without the data", INSTALLED, EXTERNAL, None, "the external one is empty"),
    ("fewer replicas", INSTALLED, replace(WANTED, stream_replicas="1"), "0004", "Allow fewer-stream-replicas"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "wanted", "current", "allowed"), ALLOWED, ids=[case[0] for case in ALLOWED])
def test_what_loses_nothing_or_is_meant_may_follow(
    name: str, before: Marker, wanted: Marker, current: str | None, allowed: frozenset[str]
) -> None:
    assert refused(before, wanted, current, allowed) == []


@pytest.mark.parametrize(("name", "before", "wanted", "current", "words"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_loses_something_is_refused_with_what_to_do(
    name: str, before: Marker, wanted: Marker, current: str | None, words: str
) -> None:
    (problem,) = refused(before, wanted, current, NONE)
    assert words in problem


def test_a_failed_run_leaves_what_is_installed_and_a_good_one_forgets_it() -> None:
    failed = INSTALLED.failed("migrate", "x" * 5000, "1.1")
    assert (failed.revision, failed.app, failed.failed_step, failed.failed_app) == ("0004", "1.0", "migrate", "1.1")
    assert len(failed.failed_error) == LONGEST_ERROR
    now = replace(WANTED, revision="0005").now()
    assert now.at
    assert not any(value for key, value in asdict(now).items() if key.startswith("failed"))
