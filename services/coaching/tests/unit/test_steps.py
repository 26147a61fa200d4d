"""The steps before anything is said: who, what they ordered, what is recalled, and which words may answer."""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from coaching.app.ports import (
    Context,
    MemoryUnavailableError,
    ModelCard,
    ModelError,
    ModelEvent,
    ModelRequest,
)
from coaching.app.steps.handed_over import confirmed_after, handed_over
from coaching.app.steps.identify import Who, identify
from coaching.app.steps.load_context import Loaded, load_context
from coaching.app.steps.opt_out import opt_out
from coaching.app.steps.plan import Composition, PlanLimits, Prepared, Prose, plan
from coaching.app.steps.recall import RecallLimits, recall
from coaching.app.steps.screen_for_crisis import screen_for_crisis
from coaching.domain.ids import ConversationId, MessageId, OrganizationId, PersonId, TurnId
from coaching.domain.messages import MemoryText
from coaching.domain.people import Language, Person
from coaching.domain.prompt import Past, Recalled, Speaker
from coaching.domain.turn import Claim, Conversation, Failure, OpenedTurn, Pending, Reply, Source, TurnRecord

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = PlanLimits(reply_tokens=100, turns_per_minute=3)
BIG = ModelCard("big", "ab", "embedded", free_prose=True, context_tokens=4096)
SMALL = ModelCard("small", "cd", "embedded", free_prose=False, context_tokens=2048)
NOTHING = Loaded((), 0, 0, has_memory=False)


def messages(*texts: str) -> tuple[Pending, ...]:
    return tuple(Pending(MessageId(str(number)), text) for number, text in enumerate(texts))


def opened(*texts: str, locale: str = "en", history_from: int = 0) -> OpenedTurn:
    return OpenedTurn(
        Claim(OrganizationId("o"), ConversationId("c"), 1), TurnId("t"),
        Conversation(ConversationId("c"), "web", "default", "a", 1, history_from), Person(PersonId("p"), locale, NOW),
        messages(*texts), NOW,
    )  # fmt: skip


@dataclass
class Brain:
    """A model, a memory and a history of fixed content; each may be away."""

    card: ModelCard = BIG
    found: tuple[Recalled, ...] = ()
    history: tuple[Past, ...] = ()
    away: bool = False
    said: tuple[ModelEvent, ...] = ()
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    async def describe(self) -> ModelCard:
        if self.away:
            raise ModelError(Failure.MODEL_UNAVAILABLE)
        return self.card

    async def generate(self, request: ModelRequest, seconds: float) -> AsyncGenerator[ModelEvent, None]:
        for event in self.said:
            yield event

    async def search(
        self, organization_id: OrganizationId, person_id: PersonId, query: str, limit: int, exclude: Sequence[str]
    ) -> list[Recalled]:
        self.asked.append((query, tuple(exclude)))
        if self.away:
            raise MemoryUnavailableError
        return list(self.found)

    async def upsert(self, people: Sequence[Sequence[MemoryText]]) -> Sequence[str | MemoryUnavailableError]:
        raise AssertionError("no step of a turn writes the index")

    async def open(self, claims: Sequence[Claim]) -> list[OpenedTurn]:
        return []

    async def context(self, opened: OpenedTurn) -> Context:
        return Context(self.history, 1, has_memory=True)

    async def record(self, record: TurnRecord) -> bool:
        return True


async def test_commands_are_taken_out_in_their_order() -> None:
    orders = await opt_out(messages("hello", "STOP", "and", "Hilfe"))
    assert [message.text for message in orders.rest] == ["hello", "and"]
    assert orders.change.proactive_stopped is True
    assert orders.language is Language.GERMAN


@pytest.mark.parametrize(
    ("texts", "locale", "language"),
    [
        (("Ich weiß nicht weiter",), "en", Language.GERMAN),
        (("I do not know any more",), "de", Language.ENGLISH),
        (("ok",), "de-AT", Language.GERMAN),
        (("Hilfe",), "en", Language.GERMAN),
        ((), "de", Language.GERMAN),
    ],
)
async def test_the_language_is_that_of_the_words_then_of_the_channel(
    texts: tuple[str, ...], locale: str, language: Language
) -> None:
    turn = opened(*texts, locale=locale)
    assert (await identify(turn, await opt_out(turn.messages))).language is language


async def test_danger_split_over_messages_is_found() -> None:
    who = Who(Person(PersonId("p"), "en-US"), Language.ENGLISH)
    reply = await screen_for_crisis(messages("I just want to", "die"), who)
    assert reply is not None
    assert (reply.source, "988" in reply.text, reply.prompt_text) == (Source.CRISIS, True, None)
    assert await screen_for_crisis(messages("I just want to", "sleep"), who) is None


@pytest.mark.parametrize(
    ("texts", "hold", "source"),
    [
        (("hello",), False, None),
        (("hello",), True, Source.CRISIS),
        (("STOP",), True, Source.COMMAND),
        (("START",), True, Source.COMMAND),
        (("START", "hello"), True, None),
        (("STOP", "hello"), True, Source.CRISIS),
    ],
)
async def test_while_coaching_rests_only_start_goes_on(
    texts: tuple[str, ...], hold: bool, source: Source | None
) -> None:
    person = Person(PersonId("p"), "en", NOW, NOW if hold else None)
    reply = await handed_over(Who(person, Language.ENGLISH), await opt_out(messages(*texts)))
    assert (reply.source if reply else None) is source


@pytest.mark.parametrize(
    ("texts", "begins"),
    [
        (("STOP", "HELP"), "Done: I will not write"),
        (("START", "HELP"), "Done: START is noted"),
        (("STOP",), "Done: I will not write to you on my own any more, on any channel"),
        (("HELP",), "I am a coaching program"),
    ],
)
async def test_help_beside_an_order_confirms_the_order_first(texts: tuple[str, ...], begins: str) -> None:
    reply = await handed_over(Who(Person(PersonId("p"), "en", NOW), Language.ENGLISH), await opt_out(messages(*texts)))
    assert reply is not None
    assert reply.text.startswith(begins)


@pytest.mark.parametrize(
    ("texts", "added"),
    [(("STOP", "x"), "\n\nDone: I will not write"), (("STOP", "START", "x"), ""), (("x",), ""), (("START", "x"), "")],
)
async def test_a_crisis_text_comes_first_and_then_that_stop_was_obeyed(texts: tuple[str, ...], added: str) -> None:
    who = Who(Person(PersonId("p"), "en", NOW), Language.ENGLISH)
    reply = confirmed_after(Reply("Call 112.", Source.CRISIS), who, await opt_out(messages(*texts)))
    assert reply.text.startswith("Call 112." + added)
    assert (reply.text == "Call 112.") is not bool(added)


async def test_a_long_history_moves_its_beginning_for_good() -> None:
    speakers = (Speaker.PERSON, Speaker.COACH)
    history = tuple(Past(str(at), at * 10, speakers[at % 2], "x" * 100) for at in range(10))
    loaded = await load_context(Brain(history=history), opened(), 600)
    assert [past.position for past in loaded.history] == [80, 90]
    assert loaded.history_from == 80
    short = await load_context(Brain(history=history), opened(history_from=5), 5000)
    assert (len(short.history), short.history_from) == (10, 5)


async def test_what_is_recalled_is_near_enough_and_not_shown_anyway() -> None:
    near, far = Recalled("9", "near", 0.5, by_person=True), Recalled("8", "far", 0.2, by_person=True)
    brain = Brain(found=(near, far))
    loaded = Loaded((Past("7", 1, Speaker.PERSON, "old"),), 0, 0, has_memory=True)
    turn = opened("hello there")
    assert await recall(brain, turn, turn.messages, loaded, RecallLimits(3, 0.35)) == (near,)
    assert brain.asked == [("hello there", ("7", "0"))]


async def test_recall_does_without_an_index_that_is_away_and_does_not_ask_for_nothing() -> None:
    turn = opened("hello")
    known = Loaded((), 0, 0, has_memory=True)
    away = Brain(away=True)
    assert await recall(away, turn, turn.messages, known, RecallLimits(3, 0.35)) == ()
    brain = Brain()
    assert await recall(brain, turn, turn.messages, NOTHING, RecallLimits(3, 0.35)) == ()
    assert await recall(brain, turn, messages(" "), known, RecallLimits(3, 0.35)) == ()
    assert brain.asked == []


@pytest.mark.parametrize(
    ("texts", "recent", "away", "failure"),
    [
        ((" ",), 0, False, Failure.NOTHING_SEEN),
        (("\u200b\u200f\u202e", "\ufe0f \u2060", "\u3164"), 0, False, Failure.NOTHING_SEEN),
        (("hello",), 3, False, Failure.RATE_LIMITED),
        (("hello",), 0, True, Failure.MODEL_UNAVAILABLE),
    ],
)
async def test_prepared_words_where_no_model_may_or_can_answer(
    texts: tuple[str, ...], recent: int, away: bool, failure: Failure
) -> None:
    turn = opened(*texts)
    who = Who(turn.person, Language.ENGLISH)
    loaded = Loaded((), 0, recent, has_memory=False)
    made = await plan(Brain(away=away), turn, turn.messages, who, loaded, (), LIMITS)
    assert made.way == Prepared(failure)
    assert made.person_side is None


async def test_a_file_with_an_invisible_text_is_a_file() -> None:
    turn = opened("x")
    sent = (Pending(MessageId("1"), "\u200b", files=1),)
    made = await plan(Brain(), turn, sent, Who(turn.person, Language.ENGLISH), NOTHING, (), LIMITS)
    assert made.way == Prepared(Failure.NO_TEXT)


@pytest.mark.parametrize("text", ["?", "🙂", "❤\ufe0f", "é", "漢", "1", "\u200ba"])
async def test_whatever_can_be_seen_is_said_to_the_model(text: str) -> None:
    turn = opened(text)
    made = await plan(Brain(), turn, turn.messages, Who(turn.person, Language.ENGLISH), NOTHING, (), LIMITS)
    assert isinstance(made.way, Prose)


@pytest.mark.parametrize("card", [BIG, SMALL])
@pytest.mark.parametrize("flood", ["🙂" * 4000, "👩\u200d👩\u200d👧 " * 1000, "漢" * 4000])
async def test_a_flood_of_costly_characters_fits_the_model(card: ModelCard, flood: str) -> None:
    turn = opened(flood)
    recalled = (Recalled("9", flood, 0.9, by_person=True),)
    made = await plan(
        Brain(card=card), turn, turn.messages, Who(turn.person, Language.ENGLISH), NOTHING, recalled, LIMITS
    )
    assert isinstance(made.way, Prose | Composition)
    # Four tokens an emoji, one for any other character: as dear as it gets.
    worst = sum(4 if char > "\uffff" else 1 for message in made.way.request.messages[1:] for char in message.text)
    assert worst < 1500


async def test_a_model_that_can_be_trusted_words_the_reply() -> None:
    turn = opened("hello", "there")
    made = await plan(Brain(), turn, turn.messages, Who(turn.person, Language.ENGLISH), NOTHING, (), LIMITS)
    assert isinstance(made.way, Prose)
    assert made.way.request.messages[-1].text == made.person_side == "hello\nthere"
    assert (made.way.request.cache_key, made.way.request.json_schema) == ("c", "")


async def test_a_small_model_chooses_under_a_schema_and_what_was_said_is_quoted_once() -> None:
    turn = opened("What did I say about my violin?")
    who = Who(turn.person, Language.ENGLISH)
    recalled = (Recalled("9", "My violin is broken.", 0.4, by_person=True),)
    made = await plan(Brain(card=SMALL), turn, turn.messages, who, NOTHING, recalled, LIMITS)
    assert isinstance(made.way, Composition)
    assert made.way.remembered == "My violin is broken."
    assert set(json.loads(made.way.request.json_schema)["properties"]) == {"mood", "topic", "move"}
    quoted = Loaded((Past("1", 1, Speaker.COACH, "You said: “My violin is broken”."),), 0, 0, has_memory=True)
    again = await plan(Brain(card=SMALL), turn, turn.messages, who, quoted, recalled, LIMITS)
    assert isinstance(again.way, Composition)
    assert again.way.remembered is None


async def test_nothing_is_quoted_unasked_that_is_not_very_near() -> None:
    turn = opened("My violin again")
    recalled = (Recalled("9", "My violin is broken.", 0.4, by_person=True),)
    made = await plan(
        Brain(card=SMALL), turn, turn.messages, Who(turn.person, Language.ENGLISH), NOTHING, recalled, LIMITS
    )
    assert isinstance(made.way, Composition)
    assert made.way.remembered is None
