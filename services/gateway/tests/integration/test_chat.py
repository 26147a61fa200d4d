"""The chat socket as a page sees it, over a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fakes.gateway_door import SECRET, Door
from gateway.adapters.tokens import JwtTokens
from gateway.domain.conversation import Delta, Role, Status, StoredMessage
from gateway.domain.refusals import Reason
from gateway.domain.sessions import GuestId, Session, derive_key
from gateway.domain.webhooks import Answer
from kit.clock import FixedClock, SystemClock

WAIT_SECONDS = 30.0
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def wire(frame: dict[str, Any]) -> str:
    return json.dumps(frame)


async def heard(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), WAIT_SECONDS))
    return frame


async def closed(socket: ClientConnection, seconds: float = WAIT_SECONDS) -> int:
    """Read to the end and return the code that the gateway closed with."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await socket.recv()
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 1006


async def token_of(url: str, cookies: httpx.Cookies | None = None) -> tuple[GuestId, str]:
    async with httpx.AsyncClient(base_url=url, cookies=cookies) as client:
        answer = (await client.post("/v1/session")).json()
    return GuestId(answer["guest_id"]), answer["token"]


def token_for(guest: GuestId, seconds: float) -> str:
    """Return a token as the gateway makes them, for a shorter time than it does."""
    clock = SystemClock()
    session = Session(guest, clock.now() + timedelta(seconds=seconds))
    return JwtTokens(derive_key(SECRET, "token"), "HS256", clock).issue(session)


def dial(url: str, **options: Any) -> connect:
    return connect(url.replace("http", "ws") + "/v1/chat", proxy=None, **options)


@asynccontextmanager
async def talking(url: str, token: str) -> AsyncIterator[ClientConnection]:
    async with dial(url, origin=url) as socket:
        await socket.send(wire({"type": "hello", "token": token}))
        assert (await heard(socket))["type"] == "ready"
        yield socket


async def lets_in(url: str, token: str) -> bool:
    """Whether a new socket is greeted rather than sent away."""
    async with dial(url) as socket:
        try:
            await socket.send(wire({"type": "hello", "token": token}))
            return bool((await heard(socket))["type"] == "ready")
        except ConnectionClosed:
            return False


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not true():  # noqa: ASYNC110  # what is waited for knows no event
            await asyncio.sleep(0.02)


def message(text: str = "hello", client_id: str | None = None) -> dict[str, Any]:
    return {"type": "message", "id": client_id or str(uuid4()), "text": text}


async def test_a_message_is_accepted_after_it_is_stored(door: Door) -> None:
    async with door.serving() as url:
        guest, token = await token_of(url)
        async with talking(url, token) as socket:
            said = message("  Guten Morgen ")
            await socket.send(wire(said))
            assert await heard(socket) == {"type": "accepted", "id": said["id"]}
    assert door.inbound.texts() == ["Guten Morgen"]
    assert door.inbound.requests[0].authenticated_subject == guest


async def test_what_could_not_be_stored_is_not_accepted_and_can_be_sent_again(door: Door) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        async with talking(url, token) as socket:
            door.inbound.broken = Reason.UNAVAILABLE
            said = message()
            await socket.send(wire(said))
            refused = await heard(socket)
            door.inbound.broken = None
            await socket.send(wire(said))
            assert (await heard(socket))["type"] == "accepted"
    assert (refused["type"], refused["code"], refused["id"]) == ("error", "unavailable", said["id"])
    assert refused["retry_after"] > 0


@pytest.mark.parametrize(
    ("text", "code"), [("", "text_empty"), ("x" * 4097, "text_too_long"), ("\ud83d", "text_invalid")]
)
async def test_a_text_that_cannot_be_sent_is_refused_and_the_socket_stays(door: Door, text: str, code: str) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        async with talking(url, token) as socket:
            await socket.send(wire(message(text)))
            frame = await heard(socket)
            if code == "text_invalid":
                assert frame["code"] in (code, "invalid_request")
                return
            assert frame["code"] == code
            await socket.send(wire(message()))
            assert (await heard(socket))["type"] == "accepted"


async def test_the_channels_refusal_reaches_the_page(door: Door) -> None:
    door.inbound.judge = lambda _: Answer(400)
    async with door.serving() as url:
        _, token = await token_of(url)
        async with talking(url, token) as socket:
            await socket.send(wire(message()))
            assert (await heard(socket))["code"] == "message_refused"


async def test_every_tab_of_a_guest_hears_everything_and_no_one_else(door: Door) -> None:
    async with door.serving() as url:
        guest, token = await token_of(url)
        _, other_token = await token_of(url)
        async with talking(url, token) as one, talking(url, token) as two, talking(url, other_token) as other:
            door.live.emit(guest, Status("t", "queued", 2))
            door.live.emit(guest, Delta("t", "Good.", 0))
            door.live.emit(guest, StoredMessage("m", Role.COACH, "Good.", NOW, "t", "model"))
            for tab in (one, two):
                assert await heard(tab) == {"type": "status", "turn_id": "t", "state": "queued", "ahead": 2}
                assert await heard(tab) == {"type": "delta", "turn_id": "t", "index": 0, "text": "Good."}
                assert await heard(tab) == {
                    "type": "message", "message_id": "m", "turn_id": "t", "text": "Good.", "source": "model",
                    "created_at": "2026-03-02T09:00:00+00:00",
                }  # fmt: skip
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.recv(), 0.2)


async def test_a_page_of_another_site_gets_no_socket(door: Door) -> None:
    async with door.serving() as url:
        with pytest.raises(InvalidStatus) as refused:
            async with dial(url, origin="https://evil.example"):
                raise AssertionError
    assert refused.value.response.status_code == 403


async def test_a_program_without_an_origin_may_talk(door: Door) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        async with dial(url) as socket:
            await socket.send(wire({"type": "hello", "token": token}))
            assert (await heard(socket))["type"] == "ready"


async def test_a_wrong_token_is_told_and_ends_the_socket(door: Door) -> None:
    async with door.serving() as url, dial(url) as socket:
        await socket.send(wire({"type": "hello", "token": "x"}))
        assert (await heard(socket))["code"] == "unauthorized"
        assert await closed(socket) == 4401


async def test_who_does_not_say_hello_is_sent_away(door: Door) -> None:
    async with door.serving(chat_hello_seconds=0.1) as url, dial(url) as socket:
        assert await closed(socket) == 4408


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"type":"x"}',
        '{"type":"message","id":"1","text":"x"}',
        '{"type":"message"}',
        b"\x00",
        "1" * 5000,
    ],
)
async def test_malformed_frames_end_the_socket_before_and_after_hello(door: Door, frame: str | bytes) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        async with dial(url) as socket:
            await socket.send(frame)
            assert await closed(socket) == 4400
        async with talking(url, token) as socket:
            await socket.send(frame)
            assert (await heard(socket))["code"] == "invalid_request"
            assert await closed(socket) == 4400
    assert door.inbound.requests == []


async def test_a_message_before_hello_is_not_taken(door: Door) -> None:
    async with door.serving() as url, dial(url) as socket:
        await socket.send(wire(message()))
        assert await closed(socket) == 4400
    assert door.inbound.requests == []


async def test_a_huge_frame_ends_the_socket(door: Door) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        async with talking(url, token) as socket:
            await socket.send(wire(message("x" * 100_000)))
            assert await closed(socket) == 1009


async def test_a_guest_who_writes_too_fast_is_told_when_to_go_on(door: Door) -> None:
    door.clock = FixedClock(datetime.now(UTC))  # no token grows back, however long it takes
    async with door.serving(guest_messages_per_minute=6, guest_messages_burst=2) as url:
        _, token = await token_of(url)
        async with talking(url, token) as socket:
            for _ in range(3):
                await socket.send(wire(message()))
            frames = [await heard(socket) for _ in range(3)]
    assert [frame["type"] for frame in frames] == ["accepted", "accepted", "error"]
    assert (frames[2]["code"], frames[2]["retry_after"]) == ("rate_limited", 10)
    assert frames[2]["message"] == "That was a lot at once. Wait 10 s, then try again."


async def test_an_address_that_opens_too_many_sockets_is_told_to_wait(door: Door) -> None:
    async with door.serving(address_requests_per_minute=6, address_requests_burst=2) as url:
        _, token = await token_of(url)
        async with talking(url, token), dial(url) as second:
            await second.send(wire({"type": "hello", "token": token}))
            assert (await heard(second))["code"] == "rate_limited"
            assert await closed(second) == 4429


async def test_more_sockets_than_allowed_are_sent_away(door: Door) -> None:
    async with door.serving(chat_max_sockets=1) as url:
        _, token = await token_of(url)
        async with talking(url, token), dial(url) as second:
            assert await closed(second) == 1013
        async with asyncio.timeout(WAIT_SECONDS):
            while not await lets_in(url, token):  # noqa: ASYNC110  # the first socket's end takes a moment
                await asyncio.sleep(0.02)


async def test_without_live_events_the_page_is_told_to_come_again(door: Door) -> None:
    door.live.broken = Reason.UNAVAILABLE
    async with door.serving() as url:
        _, token = await token_of(url)
        async with dial(url) as socket:
            await socket.send(wire({"type": "hello", "token": token}))
            assert (await heard(socket))["code"] == "unavailable"
            assert await closed(socket) == 1013


async def test_a_slow_reader_is_closed_and_nobody_waits_for_it(door: Door) -> None:
    async with door.serving(chat_queue_frames=8) as url:
        guest, token = await token_of(url)
        async with dial(url, max_queue=1, compression=None) as slow, talking(url, token) as quick:
            await slow.send(wire({"type": "hello", "token": token}))
            await until(lambda: len(door.live.sinks[guest]) == 2)
            for number in range(60):
                door.live.emit(guest, Delta("t", "x" * 1_000_000, number))
                assert len((await heard_large(quick))["text"]) == 1_000_000
                if len(door.live.sinks[guest]) == 1:
                    break
            assert len(door.live.sinks[guest]) == 1
            slow.transport.abort()


async def heard_large(socket: ClientConnection) -> dict[str, Any]:
    parts = [part async for part in socket.recv_streaming()]
    frame: dict[str, Any] = json.loads("".join(str(part) for part in parts))
    return frame


async def test_the_page_is_told_before_its_token_ends_and_goes_on_with_a_new_one(door: Door) -> None:
    async with door.serving() as url:
        guest, _ = await token_of(url)
        old, new = (token_for(guest, seconds) for seconds in (10, 120))  # a fifth of ten to answer in
        async with talking(url, old) as socket:
            assert (await heard(socket))["type"] == "expiring"
            await socket.send(wire({"type": "hello", "token": new}))
            assert (await heard(socket))["type"] == "ready"
            await asyncio.sleep(2.5)  # the old one has ended
            await socket.send(wire(message()))
            assert (await heard(socket))["type"] == "accepted"


async def test_a_token_that_ended_ends_the_socket(door: Door) -> None:
    async with door.serving() as url:
        guest, _ = await token_of(url)
        async with talking(url, token_for(guest, 3)) as socket:
            assert (await heard(socket))["type"] == "expiring"
            assert (await heard(socket))["code"] == "unauthorized"
            assert await closed(socket) == 4401


async def test_a_socket_belongs_to_one_guest(door: Door) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        _, other = await token_of(url)
        async with talking(url, token) as socket:
            await socket.send(wire({"type": "hello", "token": other}))
            assert await closed(socket) == 4401


async def test_at_a_stop_pages_are_told_to_come_back(door: Door) -> None:
    async with door.serving() as url:
        _, token = await token_of(url)
        async with talking(url, token) as socket, dial(url) as silent:
            door.life.stop()
            finishing = asyncio.create_task(door.life.finish())
            assert await closed(socket) == 1012
            assert await closed(silent) == 1012
            await finishing


async def test_a_page_that_leaves_frees_everything(door: Door) -> None:
    async with door.serving() as url:
        guest, token = await token_of(url)
        async with talking(url, token) as socket:
            socket.transport.abort()
        await until(lambda: not door.live.sinks[guest])
