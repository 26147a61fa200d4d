"""Prompts keep their beginning."""

from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.ids import MessageId
from coaching.domain.prompt import (
    MAX_PERSON_BYTES,
    MAX_PERSON_CHARACTERS,
    MIN_ROOM,
    NOBODY_YET,
    SYSTEM,
    Past,
    PromptMessage,
    Recalled,
    Speaker,
    history_start,
    person_side,
    rendered,
    shortened,
    size,
    within,
)
from coaching.domain.turn import Pending

LIMIT = 400
TURNS = st.lists(st.tuples(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120)), max_size=30)


def talk(turns: list[tuple[str, str]]) -> list[Past]:
    lines = [line for turn in turns for line in turn]
    speakers = (Speaker.PERSON, Speaker.COACH)
    return [Past(str(at), at, speakers[at % 2], line) for at, line in enumerate(lines)]


@given(TURNS)
def test_the_shown_history_fits_and_begins_with_the_person(turns: list[tuple[str, str]]) -> None:
    history = talk(turns)
    shown = history[history_start(history, LIMIT) :]
    assert sum(len(past.text) for past in shown) <= LIMIT
    assert not shown or shown[0].speaker is Speaker.PERSON


@given(TURNS)
def test_each_prompt_begins_with_the_whole_one_before_but_where_half_is_dropped(turns: list[tuple[str, str]]) -> None:
    history: list[Past] = []
    start = 0
    before: tuple[PromptMessage, ...] | None = None
    drops = 0
    for said, answered in turns:
        moved = start + history_start(history[start:], LIMIT)
        prompt = rendered(history[moved:], said)
        if before is not None and moved == start:
            assert prompt[: len(before)] == before
        drops += moved != start
        start, before = moved, prompt
        history += [
            Past(str(len(history)), len(history), Speaker.PERSON, said),
            Past(str(len(history) + 1), len(history) + 1, Speaker.COACH, answered),
        ]
    written = sum(len(past.text) for past in history)
    # Each drop makes room for half the limit, less one message that did not fit.
    assert drops <= 1 + written / (LIMIT / 2 - 120)


def test_the_system_text_comes_first_and_the_newest_last() -> None:
    prompt = rendered([], "hello")
    assert prompt == (PromptMessage(Speaker.SYSTEM, SYSTEM), PromptMessage(Speaker.PERSON, "hello"))


def test_messages_are_read_in_order_and_recalled_ones_after_them() -> None:
    messages = (
        Pending(MessageId("1"), "first "),
        Pending(MessageId("2"), "second", files=1),
        Pending(MessageId("3"), ""),
    )
    recalled = (
        Recalled("9", "I run on Sundays", 0.9, by_person=True),
        Recalled("8", "Well done", 0.8, by_person=False),
    )
    assert person_side(messages, recalled) == (
        "first\nsecond\n(1 file came along that you cannot see.)\n\n"
        "(From earlier talks, only if it helps:\n- they wrote: I run on Sundays\n- you answered: Well done)"
    )


@given(st.lists(st.text(max_size=1500), max_size=5))
def test_a_turn_is_cut_at_its_limit(texts: list[str]) -> None:
    messages = [Pending(MessageId(str(at)), text) for at, text in enumerate(texts)]
    written = person_side(messages, ())
    assert len(written) <= MAX_PERSON_CHARACTERS
    assert size(written) <= MAX_PERSON_BYTES


@given(st.text(max_size=200), st.integers(0, 600))
def test_within_is_the_longest_beginning_that_fits(text: str, limit: int) -> None:
    found = within(text, limit)
    assert text.startswith(found)
    assert size(found) <= limit
    assert found == text or size(text[: len(found) + 1]) > limit


@given(st.text(max_size=300), st.integers(10, 100))
def test_shortened_keeps_its_limit(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit


@given(TURNS, st.text(max_size=500), st.integers(0, 3000))
def test_a_prompt_fits_the_room_that_the_model_has(turns: list[tuple[str, str]], newest: str, room: int) -> None:
    system, *shown = rendered(talk(turns), newest, room)
    assert system.text == SYSTEM
    assert shown[0].speaker is Speaker.PERSON
    assert sum(size(message.text) for message in shown) <= max(room - size(SYSTEM), MIN_ROOM)
    assert newest.startswith(shown[-1].text)


def nudged(history: list[Past], text: str) -> list[Past]:
    return [*history, Past(str(len(history)), len(history), Speaker.COACH, text)]


@given(TURNS, st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_a_coach_that_wrote_first_has_the_last_word_and_nothing_before_changes(
    turns: list[tuple[str, str]], nudge: str, said: str
) -> None:
    before = rendered(talk(turns), said)
    after = rendered(nudged(talk(turns), nudge), said)
    assert [message.speaker for message in after[1:]] == [
        (Speaker.PERSON, Speaker.COACH)[at % 2] for at in range(len(after) - 1)
    ]
    assert after[-2].text.endswith(nudge)
    told = "\n".join(message.text for message in before[:-1])
    assert not turns or "\n".join(message.text for message in after[:-1]).startswith(told)


def test_a_coach_that_spoke_first_of_all_is_shown_and_stays() -> None:
    history = nudged([], "How are you?")
    assert history_start(history, LIMIT) == 0
    assert rendered(history, "well") == (
        PromptMessage(Speaker.SYSTEM, SYSTEM),
        PromptMessage(Speaker.PERSON, NOBODY_YET),
        PromptMessage(Speaker.COACH, "How are you?"),
        PromptMessage(Speaker.PERSON, "well"),
    )


def test_several_unanswered_ones_are_one_message() -> None:
    history = nudged(nudged(talk([("a", "b")]), "c"), "d")
    assert [message.text for message in rendered(history, "e")[1:]] == ["a", "b\n\nc\n\nd", "e"]


def test_no_room_for_what_came_before_leaves_no_coach_in_front() -> None:
    shown = rendered(nudged([], "x" * 3000), "hello", size(SYSTEM) + 100)
    assert [message.text for message in shown[1:]] == ["hello"]
