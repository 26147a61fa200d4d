"""Messages typed quickly are one turn; conversations do not wait for each other."""

import asyncio
import time

import pytest

from support.chat import WebChat
from support.scripted import Scripted

CONVERSATIONS = 50
MODEL_SECONDS = 4.0


@pytest.mark.guarantee("P3-order")
async def test_three_messages_in_a_second_are_answered_in_one_turn_in_order(scripted: Scripted) -> None:
    written = ["I bought an apple", "then a pear", "and at last a plum"]
    with scripted.replying(text="That is a lot of fruit.") as asked:
        async with WebChat(scripted.url) as chat:
            for text in written:
                await chat.send(text)
                await asyncio.sleep(0.3)
            await chat.wait(lambda frame: frame["type"] == "message")
            await asyncio.sleep(3)  # long enough for a second answer, had there been one
            assert len(chat.answers()) == 1
            history = await chat.history()
    assert [(message["role"], message["text"]) for message in history[:3]] == [("person", text) for text in written]
    assert len(history) == 4
    assert len(asked) == 1
    places = [asked[0].text.index(text) for text in written]
    assert places == sorted(places)


@pytest.mark.guarantee("P3-order")
async def test_fifty_conversations_are_handled_at_once(scripted: Scripted) -> None:
    running: list[int] = []

    async def converse(number: int) -> None:
        async with WebChat(scripted.url) as chat:
            await chat.say(f"hello from guest {number}", seconds=90)

    async def watch() -> None:
        while True:
            running.append(scripted.model.running)
            await asyncio.sleep(0.1)

    watcher = asyncio.create_task(watch())
    begun = time.monotonic()
    with scripted.replying(first_delay_seconds=MODEL_SECONDS) as asked:
        await asyncio.gather(*(converse(number) for number in range(CONVERSATIONS)))
    watcher.cancel()
    assert len(asked) == CONVERSATIONS
    assert max(running) > CONVERSATIONS * 0.6
    # One after another the model alone would take 200 seconds.
    assert time.monotonic() - begun < CONVERSATIONS * MODEL_SECONDS / 2
