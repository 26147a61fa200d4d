"""What keeps people safe, from the stream to the database."""

import time
from functools import partial

import pytest

from support.coaching import Stage, eventually

DANGER = "I want to kill myself"


@pytest.mark.guarantee("P4-crisis")
async def test_danger_is_answered_without_a_model_and_coaching_rests_until_start(around: Stage) -> None:
    async with around.coaching():
        await around.say("I slept badly")
        await around.answered(1)
        await around.say(DANGER, locale="en-US")
        await around.answered(2)
        [person] = await around.rows("SELECT crisis_hold_at, locale FROM coaching.people")
        assert person["crisis_hold_at"] is not None
        await around.say("what can I do about my sleep?")
        await around.answered(3)
        await around.say("start")
        await around.answered(4)
        await around.say("so, my sleep")
        replies = await around.answered(5)
        await eventually(lambda: _remembered(around, 4))
    assert "988" in replies[1]
    assert "911" in replies[1]
    assert "When you want to go on with coaching, write START" in replies[2]
    assert replies[3].startswith("Good to have you back")
    assert replies[4].startswith("I heard: so, my sleep")
    turns = await around.turns()
    assert [turn["source"] for turn in turns] == ["model", "crisis", "crisis", "command", "model"]
    [person] = await around.rows("SELECT crisis_hold_at FROM coaching.people")
    assert person["crisis_hold_at"] is None
    seen_by_model = " ".join(message.text for request in around.llm.requests for message in request.messages)
    assert "kill" not in seen_by_model
    assert "what can I do" not in seen_by_model
    indexed = [item.text for own in around.vector.items.values() for item in own.values()]
    assert len(indexed) == 4
    assert not [text for text in indexed if "kill" in text or "what can I do" in text]


@pytest.mark.guarantee("P4-crisis")
async def test_danger_does_not_wait_for_an_answer_that_is_still_worded(around: Stage) -> None:
    around.llm.pause_seconds = 20.0
    async with around.coaching():
        await around.say("I slept badly")
        await eventually(lambda: _is_asked(around))
        begun = time.monotonic()
        await around.say(DANGER, locale="en-US")
        [reply] = await around.answered(1)
        assert time.monotonic() - begun < around.llm.pause_seconds / 2
        await eventually(lambda: _is_left(around))
    assert "988" in reply
    assert "I heard" not in reply
    assert [turn["source"] for turn in await around.turns()] == ["crisis"]
    assert await around.rows("SELECT id FROM coaching.messages WHERE role = 'person' AND turn_id IS NULL") == []


async def _is_asked(around: Stage) -> bool:
    return around.llm.running == 1


async def _is_left(around: Stage) -> bool:
    return around.llm.running == 0


async def test_danger_among_other_messages_wins_over_them_and_over_start(around: Stage) -> None:
    async with around.coaching():
        await around.say("START", locale="en")
        await around.say("ich will nicht mehr leben", locale="de-AT")
        await around.say("hello?", locale="")
        [reply] = await around.answered()
    assert "142 (Telefonseelsorge)" in reply
    assert around.llm.requests == []
    [person] = await around.rows("SELECT crisis_hold_at FROM coaching.people")
    assert person["crisis_hold_at"] is not None


async def test_stop_and_start_are_recorded_and_answered_without_a_model(around: Stage) -> None:
    async with around.coaching():
        await around.say("Stop!")
        [stopped] = await around.answered(1)
        [person] = await around.rows("SELECT proactive_stopped_at FROM coaching.people")
        assert person["proactive_stopped_at"] is not None
        await around.say("START")
        await around.answered(2)
        await around.say("Hilfe", locale="de")
        replies = await around.answered(3)
    assert stopped.startswith("Done: I will not write to you")
    assert "Mit STOP schreibe ich nicht mehr von selbst" in replies[2]
    [person] = await around.rows("SELECT proactive_stopped_at FROM coaching.people")
    assert person["proactive_stopped_at"] is None
    assert [turn["source"] for turn in await around.turns()] == ["command"] * 3
    assert around.llm.requests == []


@pytest.mark.parametrize(
    ("arrived", "stopped"),
    [(("STOP 2", "START 1"), True), (("STOP 2", "START 3", "START 1"), False)],
)
async def test_a_start_that_arrives_late_does_not_undo_the_stop_that_was_written_after_it(
    around: Stage, arrived: tuple[str, ...], stopped: bool
) -> None:
    async with around.coaching():
        for number, said in enumerate(arrived, 1):
            word, order = said.split()
            await around.say(word, event_id=said, order=int(order))
            await eventually(partial(_taken_in, around, number))
        [person] = await around.rows("SELECT proactive_stopped_at FROM coaching.people")
    assert (person["proactive_stopped_at"] is not None) == stopped


async def test_the_first_start_welcomes_and_gives_the_notice(around: Stage) -> None:
    async with around.coaching():
        await around.say("/start pair-123")
        await around.answered(1)
        await around.say("hello coach how are you")
        replies = await around.answered(2)
    assert "a machine and not a person" in replies[0]
    assert "Welcome!" in replies[0]
    assert "machine" not in replies[1]


async def test_a_command_beside_other_words_counts_and_the_words_are_answered(around: Stage) -> None:
    async with around.coaching():
        await around.say("STOP")
        await around.say("but tell me how to sleep")
        [reply] = await around.answered()
    assert reply.endswith("I heard: but tell me how to sleep. What else?")
    [person] = await around.rows("SELECT proactive_stopped_at FROM coaching.people")
    assert person["proactive_stopped_at"] is not None


async def test_an_order_among_other_messages_is_confirmed_before_the_reply_and_the_last_one_counts(
    around: Stage,
) -> None:
    async with around.coaching(), around.listening() as heard:
        await around.say("STOP")
        await around.say("but tell me how to sleep")
        await around.answered(1)
        await around.say("stop")
        await around.say("hello again my friend")
        await around.say("start")
        replies = await around.answered(2)
    assert "person. Write STOP" in replies[0]
    assert "\n\nDone: I will not write to you on my own any more. START turns it on again.\n\nI heard" in replies[0]
    assert replies[1].startswith("Done: START is noted. STOP turns it off again.\n\nI heard: hello again")
    assert "".join(event.delta.text for event in heard if event.HasField("delta")) == "".join(replies)
    assert not [message for request in around.llm.requests for message in request.messages if "Done:" in message.text]


async def _remembered(around: Stage, count: int) -> bool:
    found = await around.rows("SELECT count(*) FROM coaching.messages WHERE memory_state = 'done'")
    return bool(found[0][0] >= count)


async def _taken_in(around: Stage, count: int) -> bool:
    return len(await around.rows("SELECT FROM coaching.inbox")) == count
