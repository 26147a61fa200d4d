"""The step that speaks: what is released, in which order, and what happens when the model breaks off."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.app.ports import Finished, ModelCard, ModelError, ModelEvent, ModelRequest, Waiting, Words
from coaching.app.steps.check_reply import check_reply
from coaching.app.steps.generate import Release, Spoken, generate
from coaching.app.steps.identify import Who
from coaching.app.steps.plan import Plan, Prepared, Prose
from coaching.domain.ids import PersonId
from coaching.domain.inbound import Place
from coaching.domain.people import Language, Person
from coaching.domain.prepared import prepared_for
from coaching.domain.prompt import PromptMessage, Speaker
from coaching.domain.turn import Failure, ModelUse, Source

CARD = ModelCard("scripted", "ab", "embedded", free_prose=True, context_tokens=2048)
USE = ModelUse("scripted", "ab", "embedded", 10, 5, 7)
REQUEST = ModelRequest((PromptMessage(Speaker.PERSON, "hi"),), 100, 0.7, "key")
WHO = Who(Person(PersonId("p"), "en"), Language.ENGLISH)


@dataclass
class Script:
    """A model that says its lines; an exception among them is raised. Asked again, it says `again`, else the same."""

    events: list[ModelEvent | Exception]
    again: list[ModelEvent | Exception] | None = None
    asked: int = 0
    closed: bool = False

    async def describe(self) -> ModelCard:
        return CARD

    async def generate(self, request: ModelRequest, seconds: float) -> AsyncGenerator[ModelEvent, None]:
        self.asked += 1
        try:
            for event in self.again if self.again is not None and self.asked > 1 else self.events:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed = True


@dataclass
class Page:
    """A page that shows what it is told."""

    shown: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    async def queued(self, place: Place, turn_id: str, ahead: int) -> None:
        self.states.append(f"queued {ahead}")

    async def thinking(self, place: Place, turn_id: str) -> None:
        self.states.append("thinking")

    async def delta(self, place: Place, turn_id: str, text: str, index: int) -> None:
        assert index == len(self.shown)
        self.shown.append(text)


async def spoken(model: Script, page: Page, notice: str | None = None, way: object = None) -> Spoken:
    plan = Plan(way if isinstance(way, Prepared) else Prose(REQUEST, CARD), "hi")
    return await generate(model, Release(page, Place("web", "default", "a"), "t"), plan, notice, 10)


@given(
    st.lists(
        st.sampled_from(["One. ", "Two? ", "Three ", "! ", " ", "\n", "I will remind you. ", "User: x "]), max_size=12
    )
)
async def test_the_reply_is_exactly_what_was_shown(pieces: list[str]) -> None:
    page = Page()
    model = Script([*(Words(piece) for piece in pieces), Finished(USE, complete=True)])
    found = await spoken(model, page, "A machine.")
    reply = await check_reply(found, WHO)
    shown = "".join(page.shown)
    assert reply.text.startswith(shown)
    assert (reply.text == shown) is (reply.source is Source.MODEL)
    assert "remind" not in reply.text
    assert model.closed


async def test_the_usage_of_a_whole_stream_is_told() -> None:
    found = await spoken(Script([Words("Fine. Now?"), Finished(USE, complete=True)]), Page())
    assert found.use == USE
    assert [sentence.text for sentence in found.sentences] == ["Fine.", "Now?"]


async def test_half_a_sentence_at_the_length_limit_is_left_out() -> None:
    found = await spoken(Script([Words("Fine. And then I wou"), Finished(USE, complete=False)]), Page())
    assert [sentence.text for sentence in found.sentences] == ["Fine."]


async def test_a_reply_has_at_most_six_sentences_and_the_model_is_stopped() -> None:
    lines = [Words(f"This is line {number}. ") for number in range(50)]
    model = Script([*lines, Finished(USE, complete=True)])
    found = await spoken(model, Page())
    assert len(found.sentences) == 6
    assert found.use is not None
    assert 0 < found.use.generated_tokens <= 8
    assert model.closed


async def test_who_waits_is_told_and_told_again_when_it_begins() -> None:
    page = Page()
    await spoken(Script([Waiting(3), Waiting(1), Words("Fine."), Finished(USE, complete=True)]), page)
    assert page.states == ["queued 3", "queued 1", "thinking"]


@pytest.mark.parametrize(
    ("events", "failure", "source"),
    [
        ([ModelError(Failure.MODEL_BUSY)], Failure.MODEL_BUSY, Source.TEMPLATE),
        ([Words("Half a sen"), ModelError(Failure.MODEL_TIMEOUT)], Failure.MODEL_TIMEOUT, Source.TEMPLATE),
        ([Words("One. Two"), ModelError(Failure.MODEL_TIMEOUT)], Failure.MODEL_INTERRUPTED, Source.MODEL),
        ([Finished(USE, complete=True)], Failure.NOTHING_USABLE, Source.TEMPLATE),
        ([Words("I will text you."), Finished(USE, complete=True)], Failure.NOTHING_USABLE, Source.TEMPLATE),
    ],
)
async def test_every_failure_ends_in_honest_words(
    events: list[ModelEvent | Exception], failure: Failure, source: Source
) -> None:
    reply = await check_reply(await spoken(Script(events), Page(), "A machine."), WHO)
    assert (reply.failure, reply.source) == (failure, source)
    assert reply.text.startswith("A machine.\n\n")
    assert (reply.prompt_text is None) is (source is Source.TEMPLATE)


@pytest.mark.parametrize("broken_off", [[], [Waiting(2)], [Words("Half a sen")]], ids=["at once", "queued", "worded"])
async def test_a_model_that_goes_away_before_a_sentence_is_shown_is_asked_again(broken_off: list[ModelEvent]) -> None:
    page = Page()
    model = Script(
        [*broken_off, ModelError(Failure.MODEL_UNAVAILABLE)], [Words("Whole. Again."), Finished(USE, complete=True)]
    )
    reply = await check_reply(await spoken(model, page, "A machine."), WHO)
    assert (reply.text, reply.failure, model.asked) == ("A machine.\n\nWhole. Again.", None, 2)
    assert "".join(page.shown) == reply.text


@pytest.mark.parametrize(
    ("events", "asked"),
    [
        ([ModelError(Failure.MODEL_UNAVAILABLE)], 2),
        ([Words("One. Two"), ModelError(Failure.MODEL_UNAVAILABLE)], 1),
        ([ModelError(Failure.MODEL_BUSY)], 1),
    ],
    ids=["away for good", "a sentence was shown", "another reason"],
)
async def test_a_model_is_asked_twice_at_most_and_only_when_nothing_was_shown(
    events: list[ModelEvent | Exception], asked: int
) -> None:
    model = Script(events)
    found = await spoken(model, Page())
    assert found.failure is not None
    assert model.asked == asked


@pytest.mark.parametrize(
    ("language", "crowd"), [(Language.ENGLISH, "many people"), (Language.GERMAN, "viele Menschen")]
)
def test_only_a_busy_model_is_said_to_have_many_people_before_it(language: Language, crowd: str) -> None:
    assert [failure for failure in Failure if crowd in prepared_for(failure, language)] == [Failure.MODEL_BUSY]


async def test_prepared_words_need_no_model() -> None:
    reply = await check_reply(await spoken(Script([]), Page(), None, Prepared(Failure.RATE_LIMITED)), WHO)
    assert reply.text.startswith("You are writing faster")
    assert reply.failure is Failure.RATE_LIMITED
