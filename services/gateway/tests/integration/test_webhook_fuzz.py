"""Whatever comes to the webhook door: a clear answer, never a 5xx, and the door stays open."""

import asyncio
import json
import random
from collections.abc import Iterator

import httpx
import pytest

from fakes.gateway_door import Door
from gateway.domain.webhooks import Answer, RawRequest

BODIES = 1_000
LIMIT = 16_384
UPDATE = {
    "update_id": 10_000,
    "message": {
        "message_id": 1, "date": 1_700_000_000, "chat": {"id": 1, "type": "private"}, "text": "hello",
        "from": {"id": 1, "is_bot": False, "first_name": "A", "language_code": "de"},
    },
}  # fmt: skip
TYPES = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "\xff",
)
PIECES = (b"\x00", b"\xff\xfe", b'"', b"}", b"[" * 200, b"\\ud83d", b"1e999", b"null", "é".encode(), b"\r\n\r\n")


def judge(request: RawRequest) -> Answer:
    """Judge as a channel does: what is no JSON object is the sender's fault."""
    try:
        update = json.loads(request.body)
    except (ValueError, RecursionError):
        return Answer(400)
    return Answer(200 if isinstance(update, dict) else 400)


def bodies(randomness: random.Random) -> Iterator[bytes]:
    template = json.dumps(UPDATE).encode()
    while True:
        kind = randomness.randrange(5)
        if kind == 0:
            yield randomness.randbytes(randomness.randrange(200))
        elif kind == 1:
            cut = randomness.randrange(len(template))
            yield template[:cut] + randomness.choice(PIECES) + template[cut:]
        elif kind == 2:
            yield template[: randomness.randrange(len(template))]
        elif kind == 3:
            yield b"[" * randomness.randrange(5_000)
        else:
            yield template * randomness.randrange(0, 200)


@pytest.mark.guarantee("P11-webhooks")
async def test_a_thousand_fuzzed_bodies_meet_no_5xx(door: Door) -> None:
    door.inbound.judge = judge
    randomness = random.Random(20260302)
    source = bodies(randomness)
    statuses: list[int] = []
    async with door.serving(webhook_max_body_bytes=LIMIT) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:

        async def send_some(count: int) -> None:
            for _ in range(count):
                headers = {b"Content-Type": randomness.choice(TYPES).encode("latin-1")}
                answer = await client.post("/webhooks/telegram/4711", content=next(source), headers=headers)
                statuses.append(answer.status_code)

        await asyncio.gather(*(send_some(BODIES // 8) for _ in range(8)))
        last = await client.post("/webhooks/telegram/4711", json=UPDATE)
    assert len(statuses) == BODIES
    assert set(statuses) <= {200, 400, 413}
    assert {200, 400, 413} <= set(statuses)
    assert last.status_code == 200


@pytest.mark.guarantee("P11-webhooks")
@pytest.mark.parametrize("head", [
    b"POST /webhooks/telegram/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n",
    b"POST /webhooks/telegram/1 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /webhooks/telegram/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /webhooks/telegram/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
])  # fmt: skip
async def test_what_is_hardly_http_gets_a_4xx(door: Door, head: bytes) -> None:
    async with door.serving() as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        await writer.drain()
        line = await asyncio.wait_for(reader.readline(), 30)
        writer.close()
        await writer.wait_closed()
    assert line.startswith(b"HTTP/1.1 4"), line


@pytest.mark.guarantee("P11-webhooks")
async def test_a_body_sent_without_end_is_cut_off_at_the_limit(door: Door) -> None:
    async with door.serving(webhook_max_body_bytes=LIMIT) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /webhooks/telegram/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        writer.write(chunk * 8)
        line = await asyncio.wait_for(reader.readline(), 30)
        sent = 0
        try:
            while sent < 200_000_000:
                writer.write(chunk * 16)
                await writer.drain()
                sent += 65_536
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
    assert line.startswith(b"HTTP/1.1 413")
    assert sent < 200_000_000
    assert door.inbound.requests == []
