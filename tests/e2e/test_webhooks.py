"""A webhook that is not what it should be changes nothing and gets a clear answer, through every real part."""

import asyncio
import json
import random
from typing import Any

import httpx
import pytest

from support.scripted import BOT_ID, WEBHOOK_SECRET, Scripted

PATH = f"/webhooks/telegram/{BOT_ID}"
SECRET = {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
UPDATE = {"update_id": 7_000_001, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"},
          "from": {"id": 5, "is_bot": False, "first_name": "Robin"}, "text": "hello"}}  # fmt: skip
FUZZED = 1_000
SEED = 20_261_122


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.guarantee("P11-webhooks")
@pytest.mark.parametrize(
    ("headers", "content", "statuses"),
    [
        ({"X-Telegram-Bot-Api-Secret-Token": "wrong"}, body(UPDATE), {401, 403}),
        ({}, body(UPDATE), {401, 403}),
        (SECRET, b"x" * 3_000_000, {413}),
        (SECRET, b'{"update_id": 1, "message"', {400}),
        (SECRET, b"\xff\xfe\x00", {400}),
        (SECRET, body([1, 2, 3]), {400}),
        (SECRET, body({"update_id": 7_000_002, "shipping_query": {"id": "1"}}), {200}),
        (SECRET, body({"update_id": 7_000_003, "edited_message": UPDATE["message"]}), {200}),
    ],
    ids=["wrong secret", "no secret", "too large", "cut JSON", "not UTF-8", "a list", "unknown kind", "an edit"],
)
async def test_what_is_refused_or_ignored_stores_nothing(
    scripted: Scripted, headers: dict[str, str], content: bytes, statuses: set[int]
) -> None:
    before = await scripted.stored_events()
    async with httpx.AsyncClient(base_url=scripted.url, timeout=30) as client:
        answer = await client.post(PATH, content=content, headers=headers)
    assert answer.status_code in statuses
    assert await scripted.stored_events() == before


@pytest.mark.parametrize("path", ["/webhooks/telegram/999", "/webhooks/nowhere/1", "/webhooks/web/default"])
async def test_an_unknown_account_or_channel_is_no_door(scripted: Scripted, path: str) -> None:
    before = await scripted.stored_events()
    async with httpx.AsyncClient(base_url=scripted.url, timeout=30) as client:
        answer = await client.post(path, content=body(UPDATE), headers=SECRET)
    assert 400 <= answer.status_code < 500
    assert await scripted.stored_events() == before


def fuzzed(chance: random.Random) -> bytes:
    """Return a damaged update: bytes flipped, cut, repeated, or values of another type."""
    odd: list[Any] = [None, True, -1, 2**70, 1.5, "", "\u0000", [], {}, [[]], {"a": {}}, "x" * 5_000]
    update: dict[str, Any] = json.loads(json.dumps(UPDATE))
    message = update["message"]
    target = chance.choice([update, message, message["chat"], message["from"]])
    target[chance.choice([*target, "photo", "document", "entities", "migrate_to_chat_id"])] = chance.choice(odd)
    raw = bytearray(body(update))
    for _ in range(chance.choice([0, 0, 1, 3])):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw[: chance.choice([len(raw), len(raw), chance.randrange(len(raw))])])


@pytest.mark.guarantee("P11-webhooks")
async def test_a_thousand_fuzzed_bodies_get_no_5xx(scripted: Scripted) -> None:
    chance = random.Random(SEED)
    busy = asyncio.Semaphore(16)
    async with httpx.AsyncClient(base_url=scripted.url, timeout=60) as client:

        async def send(content: bytes) -> int:
            async with busy:
                return (await client.post(PATH, content=content, headers=SECRET)).status_code

        statuses = await asyncio.gather(*(send(fuzzed(chance)) for _ in range(FUZZED)))
        assert (await client.get("/ready")).status_code == 200
    assert {status for status in statuses if status >= 500} == set()
    assert {200, 400} <= set(statuses)
