"""The coach remembers: texts reach the index by themselves, are recalled, and can be read for a rebuild."""

import asyncio

from contracts.coaching.v1 import coaching_pb2 as pb
from support.coaching import Coach, Stage, eventually
from support.database import SECOND_ORGANIZATION


async def test_both_sides_of_a_turn_are_indexed_and_recalled_later(around: Stage) -> None:
    async with around.coaching(history_characters=200):
        await around.say("My sister Clara plays the violin in Leipzig")
        await around.answered(1)
        await eventually(lambda: _indexed(around, 2))
        for number in range(4):
            await around.say(f"{number} " + "something long about another matter entirely " * 3)
            await around.answered(number + 2)
        await around.say("what did I say about the violin of Clara?")
        await around.answered(6)
    asked = around.llm.requests[-1].messages[-1].text
    assert "- they wrote: My sister Clara plays the violin in Leipzig" in asked
    shown = " ".join(message.text for message in around.llm.requests[-1].messages[:-1])
    assert "Clara" not in shown
    [scope] = around.vector.items
    assert scope[0] == around.organization


async def test_an_index_that_is_down_holds_up_no_turn_and_gets_everything_later(around: Stage) -> None:
    around.vector.down = True
    async with around.coaching():
        await around.say("remember the blue bicycle")
        await around.answered(1)
        await around.say("and the green one")
        await around.answered(2)
        await eventually(lambda: _postponed(around))
        around.vector.down = False
        await eventually(lambda: _indexed(around, 4))
    assert [turn["source"] for turn in await around.turns()] == ["model", "model"]
    found = await around.rows("SELECT memory_state, embedding_model, remembered_at FROM coaching.messages")
    assert {(row["memory_state"], row["embedding_model"]) for row in found} == {("done", "words")}


async def test_every_text_can_be_read_for_a_rebuild_but_those_of_crises(around: Stage) -> None:
    await around.database.add_organization()
    async with around.coaching() as coach:
        await around.say("hello one")
        await around.answered(1)
        await around.say("I want to kill myself")
        await around.answered(2)
        around.organization = SECOND_ORGANIZATION
        await around.say("hello two", "ben")
        await around.answered(1, "ben")
        everything = await _texts(coach, pb.StreamTextsRequest())
        second = await _texts(coach, pb.StreamTextsRequest(organization_id=SECOND_ORGANIZATION))
        person = second[0].person_id
        own = await _texts(coach, pb.StreamTextsRequest(organization_id=SECOND_ORGANIZATION, person_id=person))
    assert len(everything) == 4
    assert not [text for text in everything if "kill" in text.text or "glad you told me" in text.text]
    assert {text.organization_id for text in second} == {SECOND_ORGANIZATION}
    assert [text.text_id for text in own] == [text.text_id for text in second]
    assert [text.role for text in second] == [pb.ROLE_PERSON, pb.ROLE_COACH]


async def test_people_and_messages_are_listed_in_pages(around: Stage) -> None:
    async with around.coaching() as coach:
        for sender in ("anna", "ben", "cem"):
            await around.say("hello", sender)
            await around.answered(1, sender)
        for number in (2, 3):
            await around.say(f"message {number}", event_id=f"event-{number}")
            await around.answered(number)
        first = await coach.ListPeople(pb.ListPeopleRequest(organization_id=around.organization, limit=2), timeout=5)
        rest = await coach.ListPeople(
            pb.ListPeopleRequest(organization_id=around.organization, after_person_id=first.people[-1].person_id),
            timeout=5,
        )
        request = pb.ListMessagesRequest(
            organization_id=around.organization, channel="web", account="default", sender_id="anna", limit=4
        )
        newest = await coach.ListMessages(request, timeout=5)
        request.before_message_id = newest.messages[0].message_id
        older = await coach.ListMessages(request, timeout=5)
    assert [len(first.people), first.has_more, len(rest.people), rest.has_more] == [2, True, 1, False]
    assert sorted(person.messages for person in (*first.people, *rest.people)) == [2, 2, 6]
    assert list(first.people[0].channels) == ["web"]
    assert [message.role for message in newest.messages] == [pb.ROLE_PERSON, pb.ROLE_COACH] * 2
    assert newest.messages[0].client_message_id == "event-2"
    assert (newest.has_more, older.has_more, len(older.messages)) == (True, False, 2)
    assert newest.messages[1].source == "model"


async def _texts(coach: Coach, request: pb.StreamTextsRequest) -> list[pb.MemoryText]:
    return [text async for page in coach.StreamTexts(request, timeout=10) for text in page.texts]


async def _indexed(around: Stage, count: int) -> bool:
    await asyncio.sleep(0)
    found = await around.rows("SELECT count(*) FROM coaching.messages WHERE memory_state = 'done'")
    return bool(found[0][0] == count)


async def _postponed(around: Stage) -> bool:
    found = await around.rows("SELECT count(*) FROM coaching.messages WHERE memory_attempts > 0")
    return bool(found[0][0])
