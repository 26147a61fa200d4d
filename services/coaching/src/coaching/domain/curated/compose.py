"""From a choice to a reply: which sentences, in which order, none that was just used."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from coaching.domain.curated import phrases_de, phrases_en
from coaching.domain.curated.menu import NO_TOPIC, Menu, Mood, Move
from coaching.domain.people import Language
from coaching.domain.prompt import PromptMessage, Speaker, shortened, within

MAX_CHOICE_TOKENS = 64
MAX_SEEN_CHARACTERS = 600  # of the person's words that the small model reads: it only has to choose
MAX_SEEN_BYTES = 1200
MAX_QUOTE_CHARACTERS = 140
# Stable, so that it stays in the model's cache.
SYSTEM = (
    "You read a message to a coach and answer with JSON only. "
    "mood: how the person feels. topic: the word that matters most. move: what the coach should ask about next."
)
_PHRASES = {Language.ENGLISH: phrases_en, Language.GERMAN: phrases_de}
_QUOTES = {Language.ENGLISH: "“{}”", Language.GERMAN: "„{}“"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the model chose from a menu."""

    mood: Mood
    move: Move
    topic: str  # a word of the person's own, or empty


def choice_prompt(text: str) -> tuple[PromptMessage, ...]:
    """Return the prompt under which a small model chooses."""
    return (
        PromptMessage(Speaker.SYSTEM, SYSTEM),
        PromptMessage(Speaker.PERSON, within(shortened(text, MAX_SEEN_CHARACTERS), MAX_SEEN_BYTES)),
    )


def parsed(text: str, menu: Menu) -> Choice | None:
    """Return the choice in a model's JSON, or None where it is none or was not on the menu."""
    try:
        data = json.loads(text)
        choice = Choice(Mood(data["mood"]), Move(data["move"]), "" if data["topic"] == NO_TOPIC else data["topic"])
    except (ValueError, KeyError, TypeError):
        return None
    offered = (
        choice.mood in menu.moods and choice.move in menu.moves and (not choice.topic or choice.topic in menu.topics)
    )
    return choice if offered else None


def composed(choice: Choice, menu: Menu, remembered: str | None, spoken: Sequence[str]) -> list[str]:
    """Return the sentences of a reply; `remembered` is an earlier text of the person, `spoken` the coach's last ones.

    The same words are not used twice in a row: of each kind the first sentence that is not in `spoken` is taken, the
    search beginning further on with each answer.
    """
    phrases = _PHRASES[menu.language]
    quote = _QUOTES[menu.language]
    sentences = [_fresh(phrases.REFLECTIONS[choice.mood], spoken)]
    if remembered:
        words = quoted(remembered, menu.language)
        sentences.append(_fresh(phrases.MEMORIES, spoken).format(quote=words) + ".")
    elif choice.topic:
        sentences.append(_fresh(phrases.TOPICS, spoken).format(topic=quote.format(choice.topic)))
    if choice.mood is not Mood.ABOUT_ME or not remembered:
        sentences.append(_fresh(phrases.MOVES[choice.move], spoken))
    return sentences


def quoted(text: str, language: Language) -> str:
    """Return a person's words as a quotation inside a sentence: short, on one line, without their last mark."""
    return _QUOTES[language].format(shortened(text, MAX_QUOTE_CHARACTERS).rstrip(".!? "))


def _fresh(variants: Sequence[str], spoken: Sequence[str]) -> str:
    recent = "\n".join(spoken)
    turn = len(spoken) % len(variants)
    for offset in range(len(variants)):
        variant = variants[(turn + offset) % len(variants)]
        if variant.split("{", 1)[0] not in recent:
            return variant
    return variants[turn]
