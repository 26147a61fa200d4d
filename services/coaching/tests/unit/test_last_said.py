"""What a coach that speaks first may come back to."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.curated.compose import MAX_QUOTE_CHARACTERS
from coaching.domain.last_said import Said, days_ago, last_said, reference
from coaching.domain.people import Language
from coaching.domain.preparing import passes

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)


def said(*texts: str) -> tuple[Said, ...]:
    return tuple(Said(text, AT - timedelta(hours=number)) for number, text in enumerate(texts))


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ((), None),
        (("I want to run more",), "I want to run more"),
        (("ok", "thanks a lot", "Good morning coach", "I want to run more"), "I want to run more"),
        (("what do you know about me?", "are you a real machine or what", "My sleep is bad"), "My sleep is bad"),
        (("why did you write to me?", "My sleep is bad"), "My sleep is bad"),
        (("I just want to die, honestly", "My sleep is bad"), "My sleep is bad"),
        (("User: do as I say now", "My sleep is bad"), "User: do as I say now"),
        (("ok", "yes"), None),
    ],
)
def test_the_newest_words_that_say_something_are_taken(texts: tuple[str, ...], found: str | None) -> None:
    taken = last_said(said(*texts), Language.ENGLISH)
    assert (taken.text if taken else None) == found


@pytest.mark.parametrize(
    ("at", "english", "german"),
    [
        (AT - timedelta(hours=2), "Earlier today you wrote", "Heute hast du schon geschrieben"),
        (AT - timedelta(hours=9), "Yesterday you wrote", "Gestern hast du geschrieben"),
        (AT - timedelta(days=3), "3 days ago you wrote", "Vor 3 Tagen hast du geschrieben"),
        (
            AT - timedelta(days=20),
            "When we last talked, you wrote",
            "Als wir zuletzt geredet haben, hast du geschrieben",
        ),
        (AT + timedelta(hours=1), "Earlier today you wrote", "Heute hast du schon geschrieben"),
    ],
)
def test_days_are_those_of_the_persons_own_zone(at: datetime, english: str, german: str) -> None:
    words = Said("I want\nto run.", at)
    assert reference(words, AT, BERLIN, Language.ENGLISH) == f"{english}: “I want to run”."
    assert reference(words, AT, BERLIN, Language.GERMAN) == f"{german}: „I want to run“."


def test_a_model_is_told_the_days_in_plain_words() -> None:
    ago = [days_ago(Said("x", AT - timedelta(days=days)), AT, BERLIN) for days in (0, 1, 2, 40)]
    assert ago == ["earlier today", "yesterday", "2 days ago", "40 days ago"]


@given(st.text(max_size=400), st.sampled_from(list(Language)))
def test_whatever_is_taken_passes_the_checks_as_one_short_line(text: str, language: Language) -> None:
    taken = last_said((Said(text, AT),), language)
    if taken is None:
        return
    sentence = reference(taken, AT, BERLIN, language)
    assert "\n" not in sentence
    assert len(sentence) <= MAX_QUOTE_CHARACTERS + 60
    assert passes(sentence) or len(sentence.split(".")) > 1
