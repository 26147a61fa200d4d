"""Danger is found, in whatever spelling; what only sounds like it is left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.crisis import may_be_danger, normalised, screen
from coaching.domain.crisis_lexicon import CERTAIN, NEGATABLE
from coaching.domain.help_lines import BY_REGION, help_lines
from coaching.domain.people import Language
from coaching.domain.prepared import Text, prepared

DANGER = [
    "I want to kill myself",
    "i wanna die",
    "I WANT TO DIE!!!",
    "I’m going to end my life tonight",
    "thinking about suicide a lot",
    "I feel suicidal",
    "suicide",
    "I don't want to live anymore",
    "I dont want to be here anymore",
    "I do not want to wake up",
    "there is no point in living",
    "everyone would be better off without me",
    "I wish I was dead",
    "I can't stop thinking about killing myself",
    "I do not know why I want to kill myself",
    "It's not that I'm sad, I want to die",
    "I don't just want to die, I have a plan",
    "why not kill myself",
    "I will never not want to die",
    "no, I really want to end it all",
    "I have been cutting myself again",
    "I took all my pills",
    "my husband hits me",
    "he is going to kill me",
    "s\u00adu\u200bicide",
    "||kms||",
    "I want to die｜",
    "ich bin so müde|ich will nur noch sterben|",
    "Ich will mich umbringen",
    "ich will nicht mehr leben",
    "Ich möchte sterben.",
    "ICH MÖCHTE STERBEN",
    "Ich denke an Selbstmord",
    "ich habe Suizidgedanken",
    "ich kann nicht aufhören daran zu denken, mich umzubringen",
    "ich weiß nicht, ob ich mich umbringen soll",
    "ich bringe mich heute um",
    "am liebsten wäre ich tot, lieber tot als das",
    "mein Leben hat keinen Sinn mehr",
    "Ich will mir das Leben nehmen",
    "er schlägt mich",
    "je veux mourir",
    "quiero morir",
    "no I want to die",
    "I can't go a day without wanting to die",
    "not a day goes by without thinking about suicide",
    "Kein Tag ohne Gedanken an Selbstmord",
    "I have never wanted to die so badly",
    "never wanted to die more than now",
    "Ich wollte noch nie so sehr sterben",
    "I won't kill myself today, maybe tomorrow",
    "Ich bringe mich heute nicht um",
    "I will not kill myself yet",
    "I never said I don't want to kill myself",
    "I can't go on anymore",
    "I want to sleep and never wake up",
    "I hope I don't wake up tomorrow",
    "I have nothing to live for",
    "I cut myself",
    "I cut myself again last night",
    "I cut myself when I am sad",
    "my friend killed himself",
    "my sister wants to kill herself",
    "my brother took his own life",
    "Ich nehme mir das Leben",
    "Ich will tot sein",
    "Ich wünschte ich wäre tot",
    "ich will mein Leben beenden",
    "Ich beende mein Leben",
    "Ich ritze mich",
    "ich verletze mich selbst",
    "Ich spring vom Dach",
    "keine Lust mehr zu leben",
    "Meine Schwester will sich umbringen",
    "I want to be dead",
    "Why can't I just die",
]
SAFE = [
    "I would never kill myself",
    "I'm not suicidal",
    "I don't want to die",
    "I do not want to kill myself",
    "no suicidal thoughts",
    "I have never thought about suicide",
    "I am not going to hurt myself",
    "this job is killing me",
    "I could kill for a coffee",
    "I am dying to see you",
    "I want to die of embarrassment",
    "we watched Suicide Squad",
    "dead tired today",
    "I want to live by the sea",
    "my plants keep dying",
    "I overdosed on coffee",
    "I hurt myself while running",
    "I killed it at the interview",
    "deadline tomorrow",
    "I want to end it with my boyfriend",
    "Ich will nicht sterben",
    "Ich will mich nicht umbringen",
    "ich habe keine Suizidgedanken",
    "Ich würde mich nie umbringen",
    "ich bin todmüde",
    "sterbenslangweilig war das",
    "ich will mehr leben und weniger arbeiten",
    "der Akku ist tot",
    "no, I am fine",
    "no I don't want to die",
    "I am dying to see that film",
    "this deadline is killing me",
    "I cut myself shaving",
    "I cut myself while cooking",
    "I cut myself some slack",
    "my boss takes his life easy",
    "I hope I never wake up late",
    "I don't want to be dead",
    "I can't go on holiday this year",
    "I can't go on Friday",
    "He killed himself laughing",
    "I never wanted to die, I was just so tired",
    "I am not sad and I do not want to die",
    "Ich wollte noch nie sterben",
    "Ich will nicht tot sein",
    "Ich habe nie mehr an Selbstmord gedacht",
    "Ich nehme mir Zeit zum Leben",
    "wir springen vom Steg ins Wasser",
    "",
    "🙂",
]


@pytest.mark.parametrize("text", DANGER)
def test_danger_is_found(text: str) -> None:
    assert screen(text) is not None


@pytest.mark.parametrize("text", SAFE)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert screen(text) is None


@given(st.sampled_from(DANGER), st.sampled_from(["I slept badly. ", "Hi\n", "Today was long; ", "Nicht gut heute. "]))
def test_words_of_another_sentence_do_not_hide_it(text: str, before: str) -> None:
    assert screen(before + text) is not None


@given(st.sampled_from([text for text in DANGER if text.isascii()]), st.data())
def test_case_and_spaces_do_not_hide_it(text: str, data: st.DataObject) -> None:
    cased = "".join(data.draw(st.sampled_from([char.upper(), char.lower()])) for char in text)
    assert screen(cased.replace(" ", "  ")) is not None


@given(st.text(max_size=300))
def test_any_text_can_be_screened(text: str) -> None:
    plain = normalised(text)
    assert set(plain) <= set("abcdefghijklmnopqrstuvwxyz |")
    _ = screen(text)


def test_the_language_of_the_phrase_is_told() -> None:
    assert screen("Ich will mich umbringen") is Language.GERMAN
    assert screen("I want to kill myself") is Language.ENGLISH


@pytest.mark.parametrize(
    ("locale", "language", "numbers"),
    [
        ("en-US", Language.ENGLISH, ("911", "988")),
        ("en_GB", Language.ENGLISH, ("999", "116 123")),
        ("en-IE", Language.ENGLISH, ("112", "116 123")),
        ("de-DE", Language.GERMAN, ("112", "0800 1110111")),
        ("de", Language.GERMAN, ("112", "0800 1110111")),
        ("de-AT", Language.GERMAN, ("112", "142")),
        ("de-Latn-CH", Language.GERMAN, ("112", "143")),
        ("", Language.ENGLISH, ("112", "911", "988", "116 123", "findahelpline.com")),
        ("xx-ZZ", Language.ENGLISH, ("112", "findahelpline.com")),
    ],
)
def test_the_crisis_reply_names_lines_that_this_person_can_call(
    locale: str, language: Language, numbers: tuple[str, ...]
) -> None:
    for text in (Text.CRISIS, Text.CRISIS_HOLD):
        assert all(number in prepared(text, language, locale) for number in numbers)


def test_every_region_has_both_lines() -> None:
    assert all(lines.emergency and lines.talk for lines in BY_REGION.values())
    assert help_lines("fr-FR", Language.ENGLISH).talk == "3114"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("text", list(Text))
def test_every_prepared_text_exists_in_every_language(language: Language, text: Text) -> None:
    words = prepared(text, language)
    assert words
    assert "{" not in words


SPELLINGS = st.lists(
    st.sampled_from("I i I'm can't cannot wont don't dont wanna gonna `m but , - went die".split()), max_size=8
)


@given(SPELLINGS.map(" ".join) | st.text(st.characters(max_codepoint=126), max_size=60))
def test_plain_letters_are_read_as_any_other_text_is(text: str) -> None:
    assert normalised(text) == normalised(f"{text}\u200d")  # an invisible character: no longer plain, and left out


PHRASES = [phrase for table in (NEGATABLE, CERTAIN) for phrases in table.values() for phrase in phrases]


@pytest.mark.parametrize("phrase", PHRASES)
@given(data=st.data())
def test_no_phrase_is_missed_by_the_first_look(phrase: str, data: st.DataObject) -> None:
    drawn = data.draw(st.from_regex(phrase, fullmatch=True, alphabet="abcdefghijklmnopqrstuvwxyz |"))
    around = st.sampled_from(("", " ", "|", "||", ".", "a ", "-", "｜", "(", '"', "!!", "\n", "1", "_"))
    plain = normalised(data.draw(around) + drawn + data.draw(around))
    assert may_be_danger(plain) or re.search(rf"\b(?:{phrase})\b", plain) is None
