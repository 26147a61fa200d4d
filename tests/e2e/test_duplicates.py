"""A provider that delivers an update again and again gets one answer out of it."""

import asyncio
from typing import Any

import httpx
import pytest

from fakes.telegram import Person
from support.scripted import BOT_ID, WEBHOOK_SECRET, Scripted

AFTER_THE_WINDOW_SECONDS = 3.0  # the fixture's streams forget ids after 1 s
QUIET_SECONDS = 5.0


async def deliver(scripted: Scripted, update: dict[str, Any]) -> int:
    async with httpx.AsyncClient(base_url=scripted.url, timeout=30) as client:
        answer = await client.post(
            f"/webhooks/telegram/{BOT_ID}", json=update, headers={"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
        )
        return answer.status_code


def update_of(person: Person, update_id: int, text: str) -> dict[str, Any]:
    return {"update_id": update_id, "message": person.message(text=text)}


@pytest.mark.guarantee("P2-duplicates")
async def test_an_update_delivered_five_times_and_again_after_the_window_is_answered_once(scripted: Scripted) -> None:
    person = scripted.person()
    update = update_of(person, 9_000_001, "I walked to work today")
    statuses = await asyncio.gather(*(deliver(scripted, update) for _ in range(5)))
    assert statuses == [200] * 5
    assert len(await scripted.hears(person)) == 1
    before = await scripted.stored_events()
    await asyncio.sleep(AFTER_THE_WINDOW_SECONDS)
    assert await deliver(scripted, update) == 200
    assert await scripted.stored_events() == before + 1, "the stream still remembered it: its window has not passed"
    await asyncio.sleep(QUIET_SECONDS)
    assert len(scripted.telegram.sent(person.chat_id)) == 1


@pytest.mark.guarantee("P2-duplicates")
async def test_a_provider_that_repeats_in_parallel_by_itself_is_answered_once(scripted: Scripted) -> None:
    person = scripted.person()
    scripted.tell(person, "and I walked home as well", copies=5)
    assert len(await scripted.hears(person)) == 1
    await asyncio.sleep(QUIET_SECONDS)
    assert len(scripted.telegram.sent(person.chat_id)) == 1
