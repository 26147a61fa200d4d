"""With a small model the coach composes: the model only chooses, and only from what was offered."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.curated import phrases_de, phrases_en
from coaching.domain.curated.compose import Choice, choice_prompt, composed, parsed
from coaching.domain.curated.menu import Menu, Mood, Move, asks_memory, language_of_text, menu_for, topics_in
from coaching.domain.people import Language
from coaching.domain.prompt import Speaker

MENU = Menu(Language.ENGLISH, (Mood.TIRED,), tuple(Move), ("walking",))
CHOICE = Choice(Mood.TIRED, Move.OBSTACLE, "walking")


@pytest.mark.parametrize("phrases", [phrases_en, phrases_de])
def test_every_choice_has_words(phrases: object) -> None:
    assert set(vars(phrases)["REFLECTIONS"]) == set(Mood)
    assert set(vars(phrases)["MOVES"]) == set(Move)
    assert all(len(variants) >= 2 for variants in vars(phrases)["MOVES"].values())


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("Hi!", Mood.GREETING),
        ("Guten Morgen", Mood.GREETING),
        ("thanks a lot", Mood.THANKS),
        ("Vielen Dank!", Mood.THANKS),
        ("are you a bot?", Mood.ABOUT_ME),
        ("Bist du ein Mensch?", Mood.ABOUT_ME),
        ("I am exhausted", Mood.TIRED),
        ("Ich habe Angst vor der Prüfung", Mood.WORRIED),
        ("I finally did it", Mood.PROUD),
        ("The train was late", Mood.SHARING),
    ],
)
def test_plain_words_narrow_the_moods(text: str, mood: Mood) -> None:
    assert mood in menu_for(text, Language.ENGLISH).moods


@given(st.text(max_size=400), st.sampled_from(Language))
def test_a_menu_is_a_schema_and_its_topics_are_the_persons_words(text: str, language: Language) -> None:
    menu = menu_for(text, language)
    properties = json.loads(json.dumps(menu.schema()))["properties"]
    assert all(properties[name]["enum"] for name in ("mood", "topic", "move"))
    assert all(topic in text for topic in menu.topics)
    choice = Choice(menu.moods[0], menu.moves[0], menu.topics[0] if menu.topics else "")
    given_back = json.dumps({"mood": choice.mood, "move": choice.move, "topic": choice.topic or "none"})
    assert parsed(given_back, menu) == choice


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"mood": "tired"}', '{"mood": "proud", "move": "scale", "topic": "none"}',
     '{"mood": "tired", "move": "scale", "topic": "elsewhere"}', '{"mood": 1, "move": [], "topic": {}}'],
)  # fmt: skip
def test_what_was_not_offered_is_no_choice(text: str) -> None:
    assert parsed(text, MENU) is None


def test_a_reply_says_back_names_the_topic_and_asks() -> None:
    sentences = composed(CHOICE, MENU, None, ())
    assert sentences[0] in phrases_en.REFLECTIONS[Mood.TIRED]
    assert "“walking”" in sentences[1]
    assert sentences[2] in phrases_en.MOVES[Move.OBSTACLE]


def test_what_was_said_before_is_quoted_in_place_of_the_topic() -> None:
    sentences = composed(CHOICE, MENU, "My sister plays the violin.", ())
    assert "“My sister plays the violin”." in sentences[1]
    assert not any("“walking”" in sentence for sentence in sentences)


@given(st.sampled_from(Language), st.sampled_from(Mood), st.sampled_from(Move))
def test_the_same_choice_twice_in_a_row_is_worded_anew(language: Language, mood: Mood, move: Move) -> None:
    menu = Menu(language, (mood,), (move,), ())
    first = composed(Choice(mood, move, ""), menu, None, ())
    second = composed(Choice(mood, move, ""), menu, None, (" ".join(first),))
    assert not set(first) & set(second)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("What did I say about my sister?", True),
        ("Do you remember my goal?", True),
        ("Was weißt du über mich?", True),
        ("Erinnerst du dich?", True),
        ("I want to walk", False),
        ("Was soll ich tun?", False),
    ],
)
def test_who_asks_for_what_they_said(text: str, asks: bool) -> None:
    assert asks_memory(text) is asks


def test_topics_are_no_addresses_numbers_or_small_words() -> None:
    assert topics_in("write to anna@example.org about 12345 walking at https://example.org/path because") == (
        "walking", "write",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fallback", "language"),
    [
        ("Ich bin müde und will nicht", Language.ENGLISH, Language.GERMAN),
        ("I was afraid to die on that day", Language.GERMAN, Language.ENGLISH),
        ("ok", Language.GERMAN, Language.GERMAN),
        ("ok", Language.ENGLISH, Language.ENGLISH),
        ("hallo", Language.ENGLISH, Language.GERMAN),
        ("", Language.GERMAN, Language.GERMAN),
    ],
)
def test_the_language_of_a_text(text: str, fallback: Language, language: Language) -> None:
    assert language_of_text(text, fallback) is language


@given(st.text(max_size=3000))
def test_the_small_model_reads_little(text: str) -> None:
    system, person = choice_prompt(text)
    assert (system.speaker, person.speaker) == (Speaker.SYSTEM, Speaker.PERSON)
    assert len(person.text) <= 600
