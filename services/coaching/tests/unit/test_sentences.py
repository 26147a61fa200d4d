"""Sentences are the same however the stream is chopped up, and none of their text is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.sentences import Sentence, SentenceSplitter, joined, split

PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["Hello.", " ", "\n", "?", "!", "…", "Dr.", " e.g. ", "3.", "3.5", "\n\n", "”", ")", "。", "你好", "a"]
        ),
        st.text(max_size=12),
    ),
    max_size=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("I hear you… What now?", ["I hear you…", "What now?"]),
        ("Ask Dr. Smith, e.g. today. Fine.", ["Ask Dr. Smith, e.g. today.", "Fine."]),
        ("It is 3.5 km. Go.", ["It is 3.5 km.", "Go."]),
        ("Am 3. Mai geht es los. Gut.", ["Am 3. Mai geht es los.", "Gut."]),
        ("1. Breathe. 2. Walk.", ["1. Breathe.", "2. Walk."]),
        ("I am 40. What now?", ["I am 40.", "What now?"]),
        ("He said “go.” Then he left.", ["He said “go.”", "Then he left."]),
        ("First\nSecond. Third", ["First", "Second.", "Third"]),
        ("Wait... really? Yes.", ["Wait... really?", "Yes."]),
        ("你好。今天怎么样？", ["你好。", "今天怎么样？"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert [sentence.text for sentence in split(text)] == sentences


@given(PIECES)
def test_chopping_changes_nothing(pieces: list[str]) -> None:
    splitter = SentenceSplitter()
    fed = [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.rest()
    assert fed == split("".join(pieces))


@given(PIECES)
def test_nothing_but_space_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert re.sub(r"\s+", "", joined(split(text))) == re.sub(r"\s+", "", text)


@given(PIECES)
def test_a_sentence_has_no_space_around_it(pieces: list[str]) -> None:
    for sentence in split("".join(pieces)):
        assert sentence.text == sentence.text.strip()
        assert sentence.text


def test_a_sentence_is_given_back_once_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("One") == []
    assert splitter.feed(". ") == []
    assert splitter.feed("T") == [Sentence("One.")]
    assert splitter.rest() == [Sentence("T", " ")]


def test_line_breaks_survive() -> None:
    assert joined(split("One.\nTwo.\n\nThree. Four")) == "One.\nTwo.\n\nThree. Four"
