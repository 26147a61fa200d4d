"""An error that is logged, or kept in a ConfigMap, names no value of a row."""

import asyncpg
import pytest

from platformctl.db.words import said, without_value

MESSAGES = [
    ("22P02", 'invalid input syntax for type uuid: "anna@example.org"', "invalid input syntax for type uuid"),
    ("22P02", 'invalid input value for enum mood: "low"', "invalid input value for enum mood"),
    ("22003", 'value "4917012345" is out of range for type integer', 'value "..." is out of range for type integer'),
    ("42P07", 'relation "people" already exists', 'relation "people" already exists'),
    (
        "23505",
        'duplicate key value violates unique constraint "a"',
        'duplicate key value violates unique constraint "a"',
    ),
    ("57014", "canceling statement due to lock timeout\nDETAIL: hush", "canceling statement due to lock timeout"),
]


@pytest.mark.guarantee("P10-privacy")
@pytest.mark.parametrize(("state", "message", "expected"), MESSAGES)
def test_the_servers_words_come_without_a_value(state: str, message: str, expected: str) -> None:
    error = asyncpg.PostgresError.new({"C": state, "M": message, "D": "Key (address)=(anna@example.org) exists."})
    assert said(error) == f"{expected} (SQLSTATE {state})"


def test_a_driver_that_wraps_the_servers_error_is_looked_through() -> None:
    cause = asyncpg.PostgresError.new({"C": "42P07", "M": 'relation "a" already exists', "D": "hush"})
    wrapped = RuntimeError("with parameters: hush")
    wrapped.__cause__ = cause
    assert said(wrapped) == 'relation "a" already exists (SQLSTATE 42P07)'


def test_any_other_error_is_its_first_line() -> None:
    assert said(OSError("no route\nto hush")) == "no route"
    assert without_value('COPY failed: "hush"') == "COPY failed"
