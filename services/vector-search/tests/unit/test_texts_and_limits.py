"""Texts, the names of their contents, and what a request may ask for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.coaching_texts import remembered
from vector_search.domain.errors import InvalidRequestError
from vector_search.domain.limits import can_be_indexed, check_search, check_text_ids, check_upsert
from vector_search.domain.texts import RememberedText, Role, from_microseconds


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_time_survives_as_microseconds(moment: datetime) -> None:
    text = RememberedText("id", "text", moment, Role.COACH)
    assert from_microseconds(text.created_us) == moment


@given(st.text(), st.text())
def test_the_digest_names_the_content_and_nothing_else(one: str, other: str) -> None:
    first, second = remembered(one, "a"), remembered(other, "b")
    same_moment = replace(second, created_at=first.created_at)
    assert (first.digest() == same_moment.digest()) == (one == other)


def test_role_and_time_are_part_of_the_content() -> None:
    text = remembered("hello")
    assert replace(text, role=Role.COACH).digest() != text.digest()
    assert replace(text, created_at=text.created_at + timedelta(microseconds=1)).digest() != text.digest()


def test_the_largest_upsert_is_taken() -> None:
    check_upsert([remembered("x" * 32_000)] * 256)
    check_upsert([])


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([remembered("x")] * 257, "at most 256 items"),
        ([remembered("x" * 32_001)], "at most 32000 characters"),
        ([remembered(" \n")], "blank"),
        ([replace(remembered("x"), text_id="")], "text_id"),
        ([replace(remembered("x"), text_id="a/b")], "text_id"),
        ([replace(remembered("x"), text_id="a" * 129)], "text_id"),
    ],
)
def test_an_upsert_beyond_the_limits_is_refused_with_the_limit(texts: list[RememberedText], says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        check_upsert(texts)


@pytest.mark.parametrize(("limit", "hits"), [(0, 8), (1, 1), (100, 100)])
def test_a_limit_of_zero_is_the_usual_one(limit: int, hits: int) -> None:
    assert check_search("walking", limit) == hits


@pytest.mark.parametrize(
    ("query", "limit", "says"),
    [("", 1, "blank"), ("  ", 1, "blank"), ("x" * 32_001, 1, "32000"), ("x", 101, "1 to 100"), ("x", -1, "1 to 100")],
)
def test_a_search_beyond_the_limits_is_refused_with_the_limit(query: str, limit: int, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        check_search(query, limit)


def test_too_many_ids_are_refused() -> None:
    check_text_ids(["a"] * 1_000)
    with pytest.raises(InvalidRequestError, match="at most 1000"):
        check_text_ids(["a"] * 1_001)


@pytest.mark.parametrize(
    ("text", "indexed"),
    [("hello", True), ("", False), (" \t", False), ("x" * 32_000, True), ("x" * 32_001, False)],
)
def test_what_could_not_be_stored_one_by_one_is_left_out_of_a_rebuild(text: str, indexed: bool) -> None:
    assert can_be_indexed(remembered(text)) is indexed
