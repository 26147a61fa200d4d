"""Revisions in order: what has been reached, what is ahead."""

from pathlib import Path

import pytest

from platformctl.db.errors import DatabaseError
from platformctl.db.history import History, history
from platformctl.db.settings import MigrationSettings, default_migrations_dir
from platformctl.db.verify import expected_tables

KNOWN = History(revisions=("0001", "0002", "0003"), heads=("0003",))


@pytest.mark.parametrize(
    ("current", "wanted", "reached"),
    [
        (None, "0001", False),
        ("0001", "0001", True),
        ("0001", "0002", False),
        ("0003", "0002", True),
        ("0003", "0099", False),  # wanted by a newer release than this one
        ("0099", "0003", True),  # migrated by a newer release: it has all that we know
        ("0099", "0050", True),
    ],
)
def test_a_revision_is_reached_when_the_database_is_there_or_further(
    current: str | None, wanted: str, reached: bool
) -> None:
    assert KNOWN.has_reached(current, wanted) is reached


@pytest.mark.parametrize(("current", "ahead"), [(None, False), ("0003", False), ("0099", True)])
def test_only_an_unknown_revision_is_ahead(current: str | None, ahead: bool) -> None:
    assert KNOWN.is_ahead(current) is ahead


def test_two_heads_are_refused_by_name() -> None:
    with pytest.raises(DatabaseError, match=r"one head, and has 2: \('a', 'b'\)"):
        _ = History(revisions=("a", "b"), heads=("a", "b")).head


def test_our_history_has_one_head_and_one_line() -> None:
    found = history(MigrationSettings())
    assert found.revisions == tuple(sorted(found.revisions))
    assert found.head == found.revisions[-1]


def test_the_history_is_found_from_the_checkout() -> None:
    assert (default_migrations_dir() / "versions").is_dir()


def test_without_a_checkout_the_installed_history_is_used(tmp_path: Path) -> None:
    checkout, installed = tmp_path / "checkout", tmp_path / "share"
    assert default_migrations_dir((checkout, installed)) == installed / "migrations"
    for base in (installed, checkout):
        (base / "migrations").mkdir(parents=True)
        (base / "migrations" / "env.py").touch()
        assert default_migrations_dir((checkout, installed)) == base / "migrations"


def test_a_folder_without_a_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"No migrations in .*Set MIGRATIONS_DIR"):
        history(MigrationSettings(migrations_dir=tmp_path))


def test_tables_are_read_from_the_sql_without_those_dropped_again() -> None:
    text = """
        CREATE TABLE a.one (x int);
        CREATE TABLE IF NOT EXISTS a.two (x int);
        -- CREATE TABLE a.no (x int);
        DROP TABLE a.one;
    """
    assert expected_tables(text) == ["a.two"]
