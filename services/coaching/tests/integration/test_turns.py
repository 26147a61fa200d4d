"""A person writes, the coach answers: through the stream, the database and back to the stream."""

import asyncio
import json

import grpc
import pytest

from contracts.coaching.v1 import coaching_pb2
from contracts.llm.v1 import llm_pb2
from support.coaching import Stage, eventually

STEPS = [
    "opt_out", "identify", "consent", "screen_for_crisis", "why_written", "handed_over", "load_context", "recall",
    "plan", "generate", "check_reply",
]  # fmt: skip


async def test_a_first_message_is_answered_with_a_notice_and_recorded(around: Stage) -> None:
    async with around.coaching():
        await around.say("I want to walk more")
        [reply] = await around.answered()
        [message] = await around.outbound(1)
    assert reply.startswith("Just so you know: I am a coaching program, a machine")
    assert reply.endswith("I heard: I want to walk more. What else?")
    assert (message.text, message.channel, message.address, message.source) == (reply, "web", "anna", "model")
    [turn] = await around.turns()
    assert (turn["source"], turn["model_sha256"], turn["failure_reason"]) == ("model", "ab" * 32, None)
    assert (turn["prompt_tokens"], turn["cached_tokens"], turn["generated_tokens"]) == (50, 40, 4)
    steps = json.loads(turn["steps"])
    assert [step["step"] for step in steps] == STEPS
    assert all(step["outcome"] == "ok" and step["milliseconds"] >= 0 for step in steps)
    [person] = await around.rows("SELECT * FROM coaching.people")
    assert person["notice_given_at"] is not None
    assert person["locale"] == "en"


async def test_the_notice_is_given_once_and_prompts_only_grow(around: Stage) -> None:
    async with around.coaching():
        await around.say("one")
        await around.answered(1)
        await around.say("two")
        replies = await around.answered(2)
    assert "machine" not in replies[1]
    first, second = around.llm.requests
    assert list(second.messages[: len(first.messages)]) == list(first.messages)
    assert [message.text for message in second.messages[len(first.messages) :]] == ["I heard: one. What else?", "two"]
    assert first.cache_key == second.cache_key


@pytest.mark.guarantee("P3-order")
async def test_three_messages_in_a_second_are_one_turn_in_the_providers_order(around: Stage) -> None:
    events = [around.event("anna", f"e{number}") for number in (1, 2, 3)]
    for event, text in zip(events, ("first", "second", "third"), strict=True):
        event.text.text = text
    # Longer than this machine may stall between two of them.
    async with around.coaching(turn_settle_seconds=2.0, turn_settle_max_seconds=10.0):
        for at in (1, 0, 2):
            await around.publish(events[at])
        [reply] = await around.answered()
        await asyncio.sleep(3)
        assert len(await around.replies()) == 1
    assert reply.endswith("I heard: first / second / third. What else?")
    assert [turn["message_count"] for turn in await around.turns()] == [3]


@pytest.mark.guarantee("P3-order")
async def test_a_message_that_comes_while_the_coach_thinks_waits_for_the_next_turn(around: Stage) -> None:
    around.llm.pause_seconds = 0.2
    async with around.coaching() as coach:
        await around.say("one")
        await eventually(lambda: asyncio.sleep(0, bool(around.llm.running)))
        await around.say("two")
        replies = await around.answered(2)
        assert around.llm.most_running == 1
        page = await coach.ListMessages(_messages_of("anna", around), timeout=5)
    assert [reply.rsplit("I heard", 1)[1] for reply in replies] == [": one. What else?", ": two. What else?"]
    assert not page.turn_open
    assert len(page.messages) == 4


@pytest.mark.guarantee("P3-order")
async def test_fifty_conversations_are_answered_side_by_side(around: Stage) -> None:
    around.llm.pause_seconds = 1.0
    people = [f"person-{number}" for number in range(50)]
    async with around.coaching():
        await asyncio.gather(*(around.say("hello there", person) for person in people))
        for person in people:
            assert len(await around.answered(1, person)) == 1
    assert around.llm.most_running >= 40
    assert len(await around.turns()) == 50


async def test_max_workers_bounds_the_turns_at_once(around: Stage) -> None:
    around.llm.pause_seconds = 0.15
    people = [f"person-{number}" for number in range(40)]
    async with around.coaching(max_workers=1), around.listening(people[-1]) as heard:
        for person in people:
            await around.say("hello there", person)
        await around.answered(1, people[-1])
        await eventually(lambda: _count(around, 40))
        assert around.llm.most_running == 16
        # Whoever writes while all are busy is told.
        around.llm.pause_seconds = 0.5
        await asyncio.gather(*(around.say("again", person) for person in people[:20]))
        await eventually(lambda: asyncio.sleep(0, around.llm.running == 16))
        await around.say("again", people[-1])
        await eventually(lambda: asyncio.sleep(0, [event for event in heard if event.status.state == "queued"]))
        await around.answered(2, people[-1])
    assert next(event.status.ahead for event in heard if event.status.state == "queued") == 16


async def test_sentences_are_shown_as_they_come_and_are_the_reply(around: Stage) -> None:
    around.llm.pause_seconds = 0.8
    around.llm.queued = 2
    async with around.coaching(), around.listening() as heard:
        await around.say("hi coach")
        await eventually(lambda: asyncio.sleep(0, len([event for event in heard if event.HasField("delta")]) >= 2))
        assert around.llm.running == 1, "words are shown before generation ends"
        [reply] = await around.answered()
    statuses = [(event.status.state, event.status.ahead) for event in heard if event.HasField("status")]
    assert statuses == [("thinking", 0), ("queued", 2), ("thinking", 0)]
    deltas = [event.delta for event in heard if event.HasField("delta")]
    assert "".join(delta.text for delta in deltas) == reply
    assert [delta.index for delta in deltas] == list(range(len(deltas)))
    assert len({event.turn_id for event in heard}) == 1


async def test_a_promise_and_what_follows_a_role_marker_never_leave(around: Stage) -> None:
    around.llm.script = lambda _: ["That is hard. ", "I will remind you tomorrow. ", "What helps?", "\nUser: me"]
    async with around.coaching():
        await around.say("x y z w")
        [reply] = await around.answered()
    assert reply.endswith("\n\nThat is hard. What helps?")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "model_unavailable"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "model_busy"),
        (grpc.StatusCode.INVALID_ARGUMENT, "model_refused"),
        (grpc.StatusCode.INTERNAL, "model_unavailable"),
    ],
)
async def test_a_model_that_fails_gives_an_honest_reply_and_a_record(
    around: Stage, code: grpc.StatusCode, reason: str
) -> None:
    around.llm.fail_at, around.llm.failure = 0, code
    async with around.coaching():
        await around.say("hallo, wie geht das hier?", locale="de")
        [reply] = await around.answered()
        assert len(await around.outbound(1)) == 1
    [turn] = await around.turns()
    assert (turn["source"], turn["failure_reason"]) == ("template", reason)
    assert "Deine Nachricht ist da" in reply or "keine guten Worte" in reply


@pytest.mark.parametrize("seconds", [1.0, 6.5])
async def test_a_model_that_is_too_slow_gives_an_honest_reply_in_time(around: Stage, seconds: float) -> None:
    around.llm.pause_seconds = 30
    async with around.coaching(turn_timeout_seconds=seconds):
        await around.say("are you there?")
        [reply] = await around.answered()
    [turn] = await around.turns()
    assert (turn["source"], turn["failure_reason"]) == ("template", "model_timeout")
    assert (turn["ended_at"] - turn["started_at"]).total_seconds() < seconds
    assert "I was too slow" in reply


async def test_what_was_released_before_a_failure_stays(around: Stage) -> None:
    around.llm.script = lambda _: ["One is whole. ", "Two is", " not."]
    around.llm.fail_at = 2
    async with around.coaching():
        await around.say("go on please")
        [reply] = await around.answered()
    assert reply.endswith(
        "One is whole. (I was interrupted here. Please write to me again if you would like to go on.)"
    )
    [turn] = await around.turns()
    assert (turn["source"], turn["failure_reason"]) == ("model", "model_interrupted")
    assert turn["generated_tokens"] > 0


async def test_a_small_model_chooses_and_code_words_it(around: Stage) -> None:
    around.llm.model = llm_pb2.Model(name="small", sha256="cd" * 32, provider="embedded", free_prose=False)
    async with around.coaching(), around.listening() as heard:
        await around.say("I am so tired of walking to the office")
        [first] = await around.answered()
        await around.say("I am tired again, the office and the walking")
        replies = await around.answered(2)
    assert "“walking”" in first or "“office”" in first
    assert first != replies[1]
    assert replies[1].endswith("?")
    turns = await around.turns()
    assert [(turn["source"], turn["model_name"]) for turn in turns] == [("model", "small")] * 2
    assert all(turn["generated_tokens"] > 0 for turn in turns)
    deltas = [event.delta.text for event in heard if event.HasField("delta")]
    assert len(deltas) > 4


async def test_a_person_who_writes_too_much_is_slowed_down_without_the_model(around: Stage) -> None:
    async with around.coaching(turns_per_minute=2):
        for number in (1, 2, 3):
            await around.say(f"message {number}")
            await around.answered(number)
    replies = await around.replies()
    assert "faster than I can follow" in replies[2]
    assert len(around.llm.requests) == 2


async def test_a_file_without_words_is_acknowledged(around: Stage) -> None:
    event = around.event("anna", "photo-1")
    file = event.text.files.add()
    file.sha256, file.media_type, file.size_bytes, file.kind = "0" * 64, "image/jpeg", 1234, "photo"
    async with around.coaching() as coach:
        await around.publish(event)
        [reply] = await around.answered()
        page = await coach.ListMessages(_messages_of("anna", around), timeout=5)
    assert "kept the file" in reply
    assert list(page.messages[0].file_names) == ["photo"]
    [row] = await around.rows("SELECT * FROM coaching.files")
    assert (row["sha256"], row["size_bytes"]) == ("0" * 64, 1234)


async def test_a_turn_that_fails_again_and_again_is_answered_at_last(around: Stage) -> None:
    async with around.database.connect() as owner:
        # The history cannot be read: a step fails each time, whatever it is.
        await owner.execute("ALTER TABLE coaching.messages RENAME COLUMN prompt_text TO prompt_text_away")
        async with around.coaching():
            await around.say("are you there?")
            await eventually(lambda: _attempts(around, 2))
            await owner.execute("UPDATE coaching.conversations SET attempts = 5, next_attempt_at = now()")
            await owner.execute("ALTER TABLE coaching.messages RENAME COLUMN prompt_text_away TO prompt_text")
            [reply] = await around.answered()
    assert "a part of me is out of order" in reply
    [turn] = await around.turns()
    assert (turn["source"], turn["failure_reason"]) == ("template", "attempts_exhausted")


def _messages_of(sender: str, around: Stage) -> coaching_pb2.ListMessagesRequest:
    return coaching_pb2.ListMessagesRequest(
        organization_id=around.organization, channel="web", account="default", sender_id=sender
    )


async def _count(around: Stage, turns: int) -> bool:
    return len(await around.turns()) >= turns


async def _attempts(around: Stage, count: int) -> bool:
    found = await around.rows("SELECT attempts FROM coaching.conversations WHERE lease_until IS NULL")
    return bool(found) and found[0]["attempts"] >= count
