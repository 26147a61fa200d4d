"""What the coach says first: made ahead of its time, shown to later prompts, and explained to whoever asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import pytest

from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_preparing import PostgresPreparing
from coaching.adapters.schema_check import SchemaCheck
from coaching.domain.preparing import Worded
from coaching.domain.turn import Source
from contracts.coaching.v1.coaching_pb2 import ListMessagesRequest
from contracts.llm.v1 import llm_pb2
from kit.postgres import Database
from support.coaching import Stage, eventually
from support.speaking import Person, add_check_in, proactive

SECRET = "long walk"  # of what the person says
QUOTED = "Yesterday you wrote: “I went for a long walk and it felt good”."


def writes_first(request: llm_pb2.GenerateRequest) -> list[str]:
    """Say one thing when the coach writes first, and another when it answers."""
    first = "this time you write first" in request.messages[-1].text
    return ["Good to see you. ", "How is the walking?"] if first else ["I heard you. What else?"]


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def change(around: Stage, statement: str, *values: object) -> None:
    async with around.database.connect() as owner:
        await owner.execute(statement, *values)


async def known(around: Stage, sender: str = "anna") -> Person:
    """Somebody who wrote yesterday and was answered by a model's words."""
    person = await Person.known(around, sender)
    await change(around, "UPDATE coaching.messages SET created_at = created_at - interval '1 day'")
    return person


async def to_prepare(around: Stage, person: Person, **columns: object) -> UUID:
    """Add a check-in that is due in some minutes and whose words are to be made now."""
    given = {"due_at": soon(200), "prepare_at": soon(-1), **columns}
    return await add_check_in(around, person, **given)  # type: ignore[arg-type]  # columns by their names


async def made(around: Stage, source: str = "", count: int = 1) -> list[asyncpg.Record]:
    """Wait for words of so many check-ins."""

    async def found() -> list[asyncpg.Record] | None:
        rows = await around.rows(
            "SELECT * FROM coaching.check_ins WHERE prepared_text <> '' AND prepared_source IN ($1, CASE $1 WHEN ''"
            " THEN 'model' ELSE $1 END, CASE $1 WHEN '' THEN 'template' ELSE $1 END)",
            source,
        )
        return rows if len(rows) >= count else None

    return await eventually(found)


async def looked_after(around: Stage) -> None:
    """Wait until no check-in will be looked at any more."""

    async def none() -> bool:
        return not await around.rows("SELECT id FROM coaching.check_ins WHERE prepare_at IS NOT NULL")

    await eventually(none)


@asynccontextmanager
async def preparing(around: Stage) -> AsyncIterator[PostgresPreparing]:
    database = Database(around.settings(), "test")
    try:
        yield PostgresPreparing(Tables(database, SchemaCheck()))
    finally:
        await database.close()


async def test_a_models_words_are_made_in_the_background_and_leave_when_they_are_due(around: Stage) -> None:
    around.llm.script = writes_first
    async with around.coaching(dispatch_seconds=0.1):
        anna = await known(around)
        await to_prepare(around, anna, due_at=soon(9))
        [check_in] = await made(around, "model")
        [message] = await proactive(around, 1, seconds=30)
    assert (message.text, message.source) == ("Good to see you. How is the walking?", "model")
    assert check_in["prepared_for"] == check_in["next_due_at"]
    turn, nudge = around.llm.requests
    assert (turn.priority, nudge.priority) == (llm_pb2.PRIORITY_INTERACTIVE, llm_pb2.PRIORITY_BACKGROUND)
    assert nudge.cache_key == turn.cache_key
    assert list(nudge.messages[: len(turn.messages)]) == list(turn.messages)


async def test_the_answer_to_it_is_a_turn_whose_prompt_ends_with_it(around: Stage) -> None:
    around.llm.script = writes_first
    async with around.coaching(dispatch_seconds=0.1):
        anna = await known(around)
        await add_check_in(around, anna)
        [message] = await proactive(around, 1)
        await change(around, "UPDATE coaching.deliveries SET state = 'accepted' WHERE kind = 'proactive'")
        await around.say("quite well, thank you")
        await around.answered(3)
        await around.say("I am proud of it")
        await around.answered(4)
    first, second, third = around.llm.requests
    system, said, coach, answer = second.messages
    assert [system, said] == list(first.messages)
    assert coach.speaker == llm_pb2.SPEAKER_ASSISTANT
    assert coach.text.endswith(message.text)
    assert answer.text == "quite well, thank you"
    assert list(third.messages[:4]) == list(second.messages)


@pytest.mark.guarantee("P4-decide-last")
@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("planned", False), ("claimed", False), ("in_flight", True), ("accepted", True), ("unknown", True),
        ("failed", False), ("dropped", False),
    ],
)  # fmt: skip
async def test_what_has_not_left_is_shown_to_nobody(around: Stage, state: str, shown: bool) -> None:
    async with around.coaching(dispatch_seconds=0.1) as coach:
        await add_check_in(around, await known(around))
        [message] = await proactive(around, 1)
        await change(around, "UPDATE coaching.deliveries SET state = $1 WHERE kind = 'proactive'", state)
        asked = ListMessagesRequest(
            organization_id=around.organization, channel="web", account="default", sender_id="anna", limit=10
        )
        page = await coach.ListMessages(asked, timeout=5)
        assert (message.message_id in [item.message_id for item in page.messages]) == shown
        await around.say("what shall I do today then")
        await around.answered(3)
    assert any(message.text in item.text for item in around.llm.requests[-1].messages) == shown


async def test_a_small_model_is_not_asked_and_the_words_come_back_to_what_was_said(around: Stage) -> None:
    async with around.coaching():
        anna = await known(around)
        around.llm.model = llm_pb2.Model(name="small", sha256="cd" * 32, provider="embedded", context_tokens=2048)
        asked = len(around.llm.requests)
    async with around.coaching():
        await to_prepare(around, anna)
        [check_in] = await made(around)
    assert check_in["prepared_source"] == "template"
    assert QUOTED in check_in["prepared_text"]
    assert check_in["prepared_text"].endswith("?")
    assert len(around.llm.requests) == asked


async def test_a_model_that_is_away_is_asked_again_while_there_is_time(around: Stage) -> None:
    around.llm.script = writes_first
    async with around.coaching():
        anna = await known(around)
        around.llm.fail_at, around.llm.failure = 0, grpc.StatusCode.RESOURCE_EXHAUSTED
        await to_prepare(around, anna)
        [check_in] = await made(around, "template")
        assert QUOTED in check_in["prepared_text"]
        around.llm.fail_at = None
        await change(around, "UPDATE coaching.check_ins SET prepare_at = now()")
        [check_in] = await made(around, "model")
    assert check_in["prepared_text"] == "Good to see you. How is the walking?"


async def test_words_that_do_not_know_the_newest_message_are_made_anew(around: Stage) -> None:
    async with around.coaching():
        anna = await known(around)
        around.llm.script = writes_first
        await to_prepare(around, anna)
        [before] = await made(around)
        await around.say("today I swam instead")
        await around.answered(2)
        await change(around, "UPDATE coaching.check_ins SET prepare_at = now()")

        async def anew() -> list[asyncpg.Record]:
            return await around.rows(
                "SELECT * FROM coaching.check_ins WHERE prepared_position > $1", before["prepared_position"]
            )

        [after] = await eventually(anew)
    assert after["prepared_at"] > before["prepared_at"]
    assert "today I swam instead" in around.llm.requests[-1].messages[-1].text


@pytest.mark.parametrize(
    "change_of_person",
    ["proactive_stopped_at = now()", "crisis_hold_at = now()", "notice_given_at = NULL"],
)
async def test_for_whoever_is_not_written_to_nothing_is_made(around: Stage, change_of_person: str) -> None:
    async with around.coaching():
        anna = await known(around)
        await change(around, f"UPDATE coaching.people SET {change_of_person}")
        asked = len(around.llm.requests)
        await to_prepare(around, anna)
        await looked_after(around)
        [check_in] = await around.rows("SELECT * FROM coaching.check_ins")
    assert check_in["prepared_text"] == ""
    assert len(around.llm.requests) == asked


async def test_replicas_share_the_work(around: Stage) -> None:
    around.llm.script = writes_first
    async with around.coaching(), around.coaching():
        anna = await known(around)
        asked = len(around.llm.requests)
        for _ in range(20):
            await to_prepare(around, anna)
        await made(around, "model", count=20)
    assert len(around.llm.requests) - asked == 20
    assert around.llm.most_running > 1


async def test_whoever_comes_late_changes_nothing(around: Stage) -> None:
    async with around.coaching():
        anna = await known(around)
    await to_prepare(around, anna)
    async with preparing(around) as store:
        now = datetime.now(UTC)
        [late] = await store.claim(now, 8)
        assert await store.claim(now, 8) == []
        [again] = await store.claim(now + timedelta(minutes=3), 8)
        assert not await store.keep(late, Worded("late", Source.MODEL, now), None)
        assert await store.keep(again, Worded("in time", Source.MODEL, now), None)
        await change(around, "UPDATE coaching.check_ins SET next_due_at = next_due_at + interval '1 day'")
        assert not await store.keep(again, Worded("of yesterday", Source.MODEL, now), None)
    [check_in] = await around.rows("SELECT * FROM coaching.check_ins")
    assert check_in["prepared_text"] == "in time"


async def test_what_was_said_is_what_a_model_answered_and_nothing_else(around: Stage) -> None:
    async with around.coaching():
        anna = await known(around)
        for text in ("HELP", "I want to kill myself", "START", "My sleep got better"):
            count = len(await around.replies())
            await around.say(text)
            await around.answered(count + 1)
        await change(around, "UPDATE coaching.messages SET created_at = created_at - interval '1 minute'")
        await to_prepare(around, anna)
        around.llm.script = writes_first
        await made(around)
    async with preparing(around) as store:
        await change(around, "UPDATE coaching.check_ins SET prepare_at = now()")
        [item] = await store.claim(datetime.now(UTC) + timedelta(seconds=1), 8)
    assert [said.text for said in item.said] == ["My sleep got better", "I went for a long walk and it felt good"]


async def test_why_did_i_get_this_is_answered_from_what_was_kept(around: Stage) -> None:
    async with around.coaching(dispatch_seconds=0.1, live_conversation_seconds=0.0):
        anna = await known(around)
        await around.say("why did I get this?")
        nothing = (await around.answered(2))[-1]
        await add_check_in(around, anna)
        await proactive(around, 1)
        await change(around, "UPDATE coaching.deliveries SET state = 'accepted' WHERE kind = 'proactive'")
        [nudge] = await around.rows("SELECT id, due_at FROM coaching.nudges")
        await change(
            around,
            "INSERT INTO coaching.decisions (organization_id, nudge_id, at, asked_by, verdict, reason, until)"
            " VALUES ($1, $2, now(), 'claim', 'hold', 'quiet_hours', $3)",
            UUID(around.organization), nudge["id"], nudge["due_at"] + timedelta(hours=2),
        )  # fmt: skip
        asked = len(around.llm.requests)
        await around.say("Why are you writing to me?")
        told = (await around.answered(4))[-1]
        await around.say("/warum")
        await around.say("stop")
        german = (await around.answered(5))[-1]
    assert nothing.startswith("So far I have not written to you first")
    assert told.startswith("The last time I wrote first was for ")
    for words in ("You have a check-in every day at ", "(Europe/Berlin)", "because those were your quiet hours"):
        assert words in told
    assert told.endswith("write STOP.")
    assert german.startswith("Erledigt: Ich schreibe dir nicht mehr von selbst.")
    assert "denn es waren deine Ruhezeiten" in german
    assert len(around.llm.requests) == asked
    assert [turn["source"] for turn in (await around.turns())[-2:]] == ["command", "command"]
    [person] = await around.rows("SELECT proactive_stopped_at FROM coaching.people")
    assert person["proactive_stopped_at"] is not None


@pytest.mark.guarantee("P10-privacy")
async def test_nothing_of_it_is_in_the_logs(around: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    around.llm.script = writes_first
    async with around.coaching(dispatch_seconds=0.1):
        anna = await known(around)
        await to_prepare(around, anna, due_at=soon(9))
        await made(around, "model")
        await proactive(around, 1, seconds=30)
        around.llm.fail_at = 0
        await to_prepare(around, anna)
        await made(around, "template")
        await around.say("why did you write to me")
        await around.answered(3)
    written: Any = capfd.readouterr()
    for words in (SECRET, "walking", "Good to see you", "you wrote"):
        assert words not in written.out + written.err
