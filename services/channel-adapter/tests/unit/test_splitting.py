"""Long texts are cut where a reader would pause, within what the channel takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_adapter.domain.graphemes import JOINER, continues
from channel_adapter.domain.splitting import split, utf16_length

TEXTS = st.text(st.characters(codec="utf-8"), max_size=400) | st.lists(
    st.sampled_from(["Hi. ", "What now? ", "\n\n", "word ", "🙂", "é", "長い文。", "…\n", "x" * 30]), max_size=60
).map("".join)


@given(TEXTS, st.integers(2, 80))
def test_no_part_is_longer_than_the_limit_or_blank(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < utf16_length(part) <= limit for part in parts)
    assert all(part.strip() for part in parts)


@given(TEXTS, st.integers(2, 80))
def test_nothing_but_white_space_is_lost(text: str, limit: int) -> None:
    assert "".join("".join(split(text, limit)).split()) == "".join(text.split())


# What a reader sees as one character, each of less than 20 units.
SEEN = ["👩🏽‍👩🏽‍👧🏽‍👦🏽", "🏳️‍🌈", "👍🏿", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "❤️", "e\u0301\u0323", "z" + "\u0335" * 15, "नि", "。\ufe00"]
SEEN_TEXTS = st.lists(st.sampled_from([*SEEN, *SEEN, "word", " ", "\n\n", "Hi. ", "🙂", "x" * 9]), max_size=60)


@given(SEEN_TEXTS, st.integers(20, 60))
def test_what_a_reader_sees_as_one_character_stays_whole(pieces: list[str], limit: int) -> None:
    parts = split("".join(pieces), limit)
    assert "".join("".join(parts).split()) == "".join("".join(pieces).split())
    assert all(utf16_length(part) <= limit for part in parts)
    for part in parts:
        assert not continues(part[0])
        assert not part.endswith(JOINER)
        assert sum("🇦" <= character <= "🇿" for character in part) % 2 == 0


@given(TEXTS)
def test_without_a_limit_there_is_one_part(text: str) -> None:
    assert split(text, None) == ((text.strip(),) if text.strip() else ())


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("Short.", 4096, ("Short.",)),
        ("  \n ", 10, ()),
        ("One is done. Two is next.", 14, ("One is done.", "Two is next.")),
        ('He said "yes!" Then he went.', 16, ('He said "yes!"', "Then he went.")),
        ("First paragraph.\n\nSecond. Third.", 26, ("First paragraph.", "Second. Third.")),
        ("a line without a mark\nanother", 24, ("a line without a mark", "another")),
        ("several words but no end", 14, ("several words", "but no end")),
        ("x" * 25, 10, ("x" * 10, "x" * 10, "x" * 5)),
        ("今日は良い日です。明日もそう。", 10, ("今日は良い日です。", "明日もそう。")),
        ("🙂🙂🙂", 4, ("🙂🙂", "🙂")),
        ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 14, ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦")),
        ("ae\u0301e\u0301", 4, ("ae\u0301", "e\u0301")),
        ("👍🏽👍🏽", 6, ("👍🏽", "👍🏽")),
        ("🇩🇪🇫🇷", 6, ("🇩🇪", "🇫🇷")),
        ("x❤️", 2, ("x", "❤️")),
        ("良い。\ufe00良い。", 4, ("良い。\ufe00", "良い。")),
        ("ab \u0301c", 2, ("ab", " \u0301", "c")),
        ("👩‍👩‍👧‍👦", 6, ("👩‍👩‍", "👧‍👦")),
        ("A. " + "b" * 30, 30, ("A. " + "b" * 27, "bbb")),
    ],
)
def test_a_text_is_cut_at_the_best_pause(text: str, limit: int, parts: tuple[str, ...]) -> None:
    assert split(text, limit) == parts


def test_the_same_text_always_has_the_same_parts() -> None:
    text = "A sentence that is there. " * 400
    assert split(text, 4096) == split(text, 4096)
    assert len(split(text, 4096)) == 3
