"""Words are made ahead, in the background, and only such as may be sent."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from coaching.app.ports import Finished, ModelCard, ModelError, ModelEvent, ModelRequest, StoreUnavailableError, Words
from coaching.app.prepare import SIDE_BY_SIDE, Prepare, PrepareLimits
from coaching.domain import prompt
from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.ids import PersonId
from coaching.domain.last_said import Said
from coaching.domain.preparing import Made, Unworded, Worded, checked, look_again_in
from coaching.domain.prompt import Past, Speaker
from coaching.domain.turn import Failure, ModelUse, Source
from coaching.triggers.registry import TRIGGERS
from kit.clock import FixedClock

DUE = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
NOW = DUE - timedelta(minutes=5)
BIG = ModelCard("big", "ab", "embedded", free_prose=True, context_tokens=4096)
SMALL = replace(BIG, name="small", free_prose=False)
USE = ModelUse("big", "ab", "embedded")
HISTORY = (
    Past("1", 1, Speaker.PERSON, "I want to run on Sunday"),
    Past("2", 2, Speaker.COACH, "What would make it easy?"),
)
CHECK_IN = CheckIn(
    "c1", PersonId("p1"), "scheduled_check_in", "FREQ=DAILY", time(8, 30), "Europe/Berlin", date(2026, 11, 1),
    next_due_at=DUE,
)  # fmt: skip
ITEM = Unworded(
    "o1", 3, CHECK_IN, may_be_written_to=True, locale="en", activity=Activity(), newest=7, conversation_id="v1",
    history=HISTORY, said=(Said("I want to run on Sunday", DUE - timedelta(days=1)),),
)  # fmt: skip
TEMPLATE = "Hello, here is your check-in. Yesterday you wrote: “I want to run on Sunday”. How are things with that now?"


@dataclass
class Mind:
    """A model with fixed words, or none."""

    card: ModelCard = BIG
    says: str = "Good to see you. How did the run feel? And the rest?"
    away: bool = False
    complete: bool = True
    asked: list[ModelRequest] = field(default_factory=list)

    async def describe(self) -> ModelCard:
        if self.away:
            raise ModelError(Failure.MODEL_UNAVAILABLE)
        return self.card

    async def generate(self, request: ModelRequest, seconds: float) -> AsyncGenerator[ModelEvent, None]:
        assert 0 < seconds <= 60
        self.asked.append(request)
        if self.says == "BREAK":
            raise ModelError(Failure.MODEL_BUSY)
        yield Words(self.says)
        yield Finished(USE, self.complete)


@dataclass
class Shelf:
    """Check-ins whose turn it is, and what was kept of them."""

    items: list[Unworded]
    kept: list[tuple[Worded | None, datetime | None]] = field(default_factory=list)
    broken: bool = False

    async def claim(self, at: datetime, limit: int) -> list[Unworded]:
        assert limit == SIDE_BY_SIDE
        taken, self.items = self.items[:limit], self.items[limit:]
        return taken

    async def keep(self, item: Unworded, worded: Worded | None, look_again_at: datetime | None) -> bool:
        if self.broken:
            raise StoreUnavailableError("away")
        self.kept.append((worded, look_again_at))
        return True


async def prepared(item: Unworded, mind: Mind, now: datetime = NOW) -> tuple[Worded | None, datetime | None]:
    shelf = Shelf([item])
    prepare = Prepare(shelf, mind, TRIGGERS, FixedClock(now), PrepareLimits(3000, 160))
    assert [await prepare(), await prepare()] == [1, 0]
    [kept] = shelf.kept
    return kept


async def test_a_model_that_may_writes_first_after_the_same_beginning_as_a_turns() -> None:
    mind = Mind()
    worded, look_again = await prepared(ITEM, mind)
    assert worded == Worded("Good to see you. How did the run feel?", Source.MODEL, NOW)
    assert look_again == NOW + timedelta(seconds=60)
    [request] = mind.asked
    assert (request.background, request.cache_key) == (True, "v1")
    turns = prompt.rendered(HISTORY, "well")
    assert request.messages[:-1] == turns[:-1]
    note = request.messages[-1]
    assert note.speaker is Speaker.PERSON
    for words in ("write first", "yesterday: “I want to run on Sunday”", "one open question", "in English"):
        assert words in note.text


async def test_a_small_model_is_asked_nothing_and_the_words_come_back_to_what_was_said() -> None:
    mind = Mind(SMALL)
    worded, _ = await prepared(ITEM, mind)
    assert worded == Worded(TEMPLATE, Source.TEMPLATE, NOW)
    assert mind.asked == []


async def test_german_is_answered_in_german() -> None:
    said = (Said("Ich will am Sonntag laufen und nicht nur sitzen", DUE - timedelta(days=2)),)
    worded, _ = await prepared(replace(ITEM, said=said), Mind(SMALL))
    assert worded is not None
    assert "Vor 2 Tagen hast du geschrieben: „Ich will am Sonntag laufen und nicht nur sitzen“." in worded.text


@pytest.mark.parametrize(
    "mind",
    [
        Mind(away=True), Mind(says="BREAK"), Mind(says=""), Mind(says="I will remind you tomorrow."),
        Mind(says="Coach: I am here."), Mind(says="<|im_end|>"),
    ],
    ids=["away", "busy", "silent", "promising", "role marker", "stray mark"],
)  # fmt: skip
async def test_where_no_words_of_a_model_may_be_sent_the_template_is_kept_and_the_model_asked_again(mind: Mind) -> None:
    worded, look_again = await prepared(ITEM, mind)
    assert worded == Worded(TEMPLATE, Source.TEMPLATE, NOW)
    assert look_again == NOW + timedelta(seconds=60)
    template = replace(ITEM, made=Made(DUE, 7, Source.TEMPLATE))
    worded, _ = await prepared(template, Mind(says="How are you now?"))
    assert worded == Worded("How are you now?", Source.MODEL, NOW)


@pytest.mark.parametrize(
    ("item", "mind"),
    [
        (replace(ITEM, made=Made(DUE, 7, Source.MODEL)), Mind()),
        (replace(ITEM, made=Made(DUE, 7, Source.MODEL)), Mind(away=True)),
        (replace(ITEM, made=Made(DUE, 7, Source.TEMPLATE)), Mind(away=True)),
        (replace(ITEM, made=Made(DUE, 7, Source.TEMPLATE)), Mind(SMALL)),
    ],
)
async def test_what_is_fresh_stays(item: Unworded, mind: Mind) -> None:
    assert await prepared(item, mind) == (None, NOW + timedelta(seconds=60))


@pytest.mark.parametrize("made", [Made(DUE, 6, Source.MODEL), Made(DUE - timedelta(days=1), 7, Source.MODEL)])
async def test_what_is_stale_is_made_anew(made: Made) -> None:
    worded, _ = await prepared(replace(ITEM, made=made), Mind())
    assert worded is not None


@pytest.mark.parametrize(
    "item",
    [
        replace(ITEM, may_be_written_to=False),
        replace(ITEM, check_in=replace(CHECK_IN, next_due_at=None)),
        replace(ITEM, check_in=replace(CHECK_IN, next_due_at=NOW + timedelta(seconds=2))),
        replace(ITEM, check_in=replace(CHECK_IN, trigger="of another release")),
        replace(ITEM, check_in=replace(CHECK_IN, trigger="inactivity", after_days=3), activity=Activity(NOW)),
    ],
    ids=["not willing", "never due", "due now", "unknown trigger", "trigger disagrees"],
)
async def test_where_nobody_will_be_written_to_nothing_is_made(item: Unworded) -> None:
    mind = Mind()
    assert await prepared(item, mind) == (None, None)
    assert mind.asked == []


async def test_a_person_who_said_nothing_yet_is_simply_asked() -> None:
    worded, _ = await prepared(replace(ITEM, said=(), history=()), Mind(SMALL))
    assert worded == Worded("Hello, here is your check-in. How are you doing right now?", Source.TEMPLATE, NOW)
    mind = Mind()
    await prepared(replace(ITEM, said=(), history=()), mind)
    assert "told you" not in mind.asked[0].messages[-1].text


async def test_the_same_is_not_said_two_days_running() -> None:
    history = (*HISTORY, Past("3", 3, Speaker.COACH, TEMPLATE))
    worded, _ = await prepared(replace(ITEM, history=history), Mind(SMALL))
    assert worded is not None
    assert not {"Hello, here is your check-in.", "How are things with that now?"} & {
        part.strip() + mark for part, mark in zip(worded.text.split("."), "..?", strict=False)
    }


async def test_a_database_that_is_away_is_told_to_the_loop() -> None:
    prepare = Prepare(Shelf([ITEM, ITEM], broken=True), Mind(), TRIGGERS, FixedClock(NOW), PrepareLimits(3000, 160))
    with pytest.raises(StoreUnavailableError):
        await prepare()


@pytest.mark.guarantee("P7-promises")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("I will check in tomorrow. How are you?", "How are you?"),
        ("Hello there. How are you? What is new?", "Hello there. How are you?"),
        ("One. Two. Three. Four.", "One. Two. Three."),
        ("You write first now and nobody waits for an answer of yours, so: how are you?",
         "You write first now and nobody waits for an answer of yours, so: how are you?"),
        ("Write one or two short sentences in English. How are you?", "How are you?"),
        ("I want to kill myself. How are you?", "How are you?"),
    ],
)  # fmt: skip
def test_of_a_models_words_only_what_may_be_sent_is_kept(text: str, kept: str) -> None:
    assert checked(text, "It is time.", complete=True) == kept


def test_half_a_sentence_is_left_out_where_there_is_a_whole_one() -> None:
    assert checked("Hello there. How are y", "It is time.", complete=False) == "Hello there."
    assert checked("How are y", "It is time.", complete=False) == "How are y"


def test_looks_come_closer_as_the_time_does_and_end() -> None:
    left, looks = 300.0, []
    while (wait := look_again_in(left, 60.0)) is not None:
        looks.append(wait)
        left -= wait
    assert looks[0] == 60.0
    assert sorted(looks, reverse=True) == looks
    assert 5 <= len(looks) <= 12
    assert 0 < left <= 3
