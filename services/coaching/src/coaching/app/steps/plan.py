"""plan: which words may answer: the model's own, composed ones that it chooses, or prepared ones."""

import json
from dataclasses import dataclass

from coaching.app.ports import Model, ModelCard, ModelError, ModelRequest
from coaching.app.steps.identify import Who
from coaching.app.steps.load_context import Loaded
from coaching.domain import prompt
from coaching.domain.curated import compose, menu
from coaching.domain.prompt import Recalled, Speaker
from coaching.domain.turn import Failure, OpenedTurn, Pending

UNASKED_SCORE = 0.55  # what is quoted to a person who did not ask must be very near to what they say
# Chat templates of small models; a stray one in a text is caught by the checks as well.
STOPS = ("<|im_end|>", "\nPerson:", "\nUser:", "\nHuman:")


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """What a plan may ask of a model, and how often."""

    reply_tokens: int
    turns_per_minute: int


@dataclass(frozen=True, slots=True)
class Prose:
    """The model words the reply itself."""

    request: ModelRequest
    card: ModelCard


@dataclass(frozen=True, slots=True)
class Composition:
    """The model chooses, code words it."""

    request: ModelRequest
    card: ModelCard
    menu: menu.Menu
    remembered: str | None
    spoken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """No model: short honest words, and why."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Plan:
    """How this turn is answered, and the person's side as this and later prompts show it."""

    way: Prose | Composition | Prepared
    person_side: str | None


async def plan(
    model: Model,
    opened: OpenedTurn,
    rest: tuple[Pending, ...],
    who: Who,
    loaded: Loaded,
    recalled: tuple[Recalled, ...],
    limits: PlanLimits,
) -> Plan:
    """Decide by what came, by the person's rate, and by what the model can be trusted with."""
    if not any(message.has_words for message in rest):
        files = any(message.files for message in rest)
        return Plan(Prepared(Failure.NO_TEXT if files else Failure.NOTHING_SEEN), None)
    if loaded.recent_turns >= limits.turns_per_minute:
        return Plan(Prepared(Failure.RATE_LIMITED), None)
    try:
        card = await model.describe()
    except ModelError as error:
        return Plan(Prepared(error.failure), None)
    newest = prompt.person_side(rest, recalled)
    way = (
        _prose(opened, loaded, newest, card, limits)
        if card.free_prose
        else _composition(opened, rest, who, loaded, recalled, card)
    )
    return Plan(way, newest)


def _prose(opened: OpenedTurn, loaded: Loaded, newest: str, card: ModelCard, limits: PlanLimits) -> Prose:
    room = (card.context_tokens - limits.reply_tokens - prompt.MARGIN_TOKENS) * prompt.BYTES_PER_TOKEN
    messages = prompt.rendered(loaded.history, newest, room if card.context_tokens else None)
    key = opened.conversation.conversation_id
    return Prose(ModelRequest(messages, limits.reply_tokens, 0.7, key, stop=STOPS), card)


def _composition(
    opened: OpenedTurn,
    rest: tuple[Pending, ...],
    who: Who,
    loaded: Loaded,
    recalled: tuple[Recalled, ...],
    card: ModelCard,
) -> Composition:
    text = " ".join(message.text for message in rest if message.has_words)
    offered = menu.menu_for(text, who.language)
    request = ModelRequest(
        compose.choice_prompt(text),
        max_tokens=compose.MAX_CHOICE_TOKENS,
        temperature=0.2,
        cache_key=opened.conversation.conversation_id,
        json_schema=json.dumps(offered.schema(), ensure_ascii=False),
    )
    said = [past.text for past in loaded.history if past.speaker is Speaker.COACH]
    return Composition(request, card, offered, _remembered(offered, loaded, recalled), tuple(said[-6:]))


def _remembered(offered: menu.Menu, loaded: Loaded, recalled: tuple[Recalled, ...]) -> str | None:
    """Return what the person once said: the best recalled text, or when they ask for it, the last thing they told."""
    enough = 0.0 if offered.asks_memory else UNASKED_SCORE
    said = " ".join(past.text for past in loaded.history if past.speaker is Speaker.COACH)
    best = next((item.text for item in recalled if item.by_person and item.score >= enough), None)
    if best is not None and prompt.shortened(best, compose.MAX_QUOTE_CHARACTERS).rstrip(".!? ") not in said:
        return best
    if not offered.asks_memory:
        return None
    told = [past.text.split("\n\n(", 1)[0] for past in loaded.history if past.speaker is Speaker.PERSON]
    return next((text for text in reversed(told) if not menu.asks_memory(text)), None)
