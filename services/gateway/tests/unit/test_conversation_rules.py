import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.conversation import MAX_TEXT_CHARACTERS, check_text, preferred_language
from gateway.domain.refusals import Reason, Refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.TEXT_EMPTY),
        (" \n\t ", Reason.TEXT_EMPTY),
        ("\x00\x01", Reason.TEXT_EMPTY),
        ("x" * (MAX_TEXT_CHARACTERS + 1), Reason.TEXT_TOO_LONG),
        ("half a pair: \ud83d", Reason.TEXT_INVALID),
    ],
)
def test_what_cannot_be_sent_says_why(text: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        check_text(text)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hallo\r\nWelt \r ", "Hallo\nWelt"),
        ("a\x00b\tc", "ab\tc"),
        ("👩‍👩‍👧 مرحبا", "👩‍👩‍👧 مرحبا"),
        ("x" * 4096, "x" * 4096),
    ],
)
def test_a_text_keeps_its_words_and_lines(text: str, expected: str) -> None:
    assert check_text(text) == expected


@given(st.text(max_size=200))
def test_a_checked_text_stays_as_it_is(text: str) -> None:
    try:
        checked = check_text(text)
    except Refused:
        return
    assert check_text(checked) == checked
    assert "\x00" not in checked


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("*", ""),
        ("", ""),
        ("en;q=0.1", "en"),
        ("<script>", ""),
        ("zh-Hans-CN", "zh-Hans-CN"),
    ],
)
def test_the_first_language_of_the_browser_is_the_persons(header: str, expected: str) -> None:
    assert preferred_language(header) == expected
