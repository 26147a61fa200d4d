"""What comes from outside changes nothing unless it is as it should be, and is acknowledged only once it is stored."""

import io
import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channel_adapter.app.channel import Connection, by_endpoint
from channel_adapter.app.files import KeepFiles
from channel_adapter.app.receive import Intake, ReceiveRequest
from channel_adapter.channels.telegram.handler import ABILITIES as TELEGRAM
from channel_adapter.channels.telegram.handler import TelegramReceiver
from channel_adapter.channels.web.handler import ABILITIES as WEB
from channel_adapter.channels.web.handler import TEXT_CHARACTERS, WebReceiver
from channel_adapter.domain.messages import Answer, Parsed, PersonText, RawRequest
from fakes.channel_ports import (
    NOON,
    ORGANIZATION,
    MemoryFileStore,
    MemoryInbound,
    MemoryRecords,
    MemorySender,
    clock,
)
from kit import log
from kit.metrics import render

SECRET = "the-webhook-secret"
HEADERS = {"x-telegram-bot-api-secret-token": SECRET}
PERSON = {"id": 7, "is_bot": False, "first_name": "R"}
MOST_BYTES = 65536
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Door:
    """The receiving side with everything in memory."""

    def __init__(self) -> None:
        self.inbound = MemoryInbound()
        files = KeepFiles(MemoryFileStore(), MemoryRecords(), 1000, 1)
        connections = [
            Connection("telegram", "1000", ORGANIZATION, TELEGRAM, TelegramReceiver(SECRET), MemorySender()),
            Connection("web", "default", ORGANIZATION, WEB, WebReceiver(clock()), MemorySender()),
        ]
        intake = Intake(self.inbound, files, clock())
        self._receive = ReceiveRequest(by_endpoint(connections), intake, MOST_BYTES)

    async def telegram(
        self, body: bytes, headers: dict[str, str] | None = None, account: str = "1000", method: str = "POST"
    ) -> Answer:
        given = HEADERS if headers is None else headers
        return await self._receive(RawRequest("telegram", account, method, given, "", body, ""))

    async def many(self, *bodies: bytes, headers: dict[str, str] | None = None) -> list[Answer | None]:
        given = HEADERS if headers is None else headers
        return await self._receive.many(
            [RawRequest("telegram", "1000", "POST", given, "", body, "", TRACE) for body in bodies]
        )

    async def web(self, body: bytes, subject: str = "guest-1") -> Answer:
        return await self._receive(RawRequest("web", "default", "POST", {}, "", body, subject))


def update(number: int = 1, text: str = "Hello") -> bytes:
    chat = {"id": 7, "type": "private"}
    message = {"message_id": 1, "date": 1_772_000_000, "chat": chat, "from": PERSON, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


def page(identifier: str = "m1", text: str = "Hello", **more: str) -> bytes:
    return json.dumps({"id": identifier, "text": text, **more}).encode()


async def test_a_message_is_acknowledged_once_it_is_stored() -> None:
    door = Door()
    answer = await door.telegram(update(5))
    assert (answer.status, answer.events) == (200, 1)
    event = door.inbound.events["telegram:1000:5"]
    assert (event.organization_id, event.received_at) == (ORGANIZATION, NOON)
    assert event.incoming.body == PersonText("Hello")


async def test_the_same_update_is_one_event_however_often_it_comes() -> None:
    door = Door()
    assert {(await door.telegram(update(5))).status for _ in range(5)} == {200}
    assert list(door.inbound.events) == ["telegram:1000:5"]


async def test_what_the_stream_has_not_stored_is_asked_for_again() -> None:
    door = Door()
    door.inbound.available = False
    answer = await door.telegram(update())
    assert (answer.status, answer.events) == (503, 0)
    assert answer.retry_after_seconds > 0


@pytest.mark.guarantee("P11-webhooks")
@pytest.mark.parametrize(
    ("headers", "account", "method", "body", "status"),
    [
        ({}, "1000", "POST", update(), 401),
        ({"x-telegram-bot-api-secret-token": "wrong"}, "1000", "POST", update(), 403),
        ({"x-telegram-bot-api-secret-token": "ü"}, "1000", "POST", update(), 403),
        (HEADERS, "999", "POST", update(), 404),
        (HEADERS, "1000", "GET", update(), 405),
        (HEADERS, "1000", "POST", b"x" * (MOST_BYTES + 1), 413),
        (HEADERS, "1000", "POST", b"not json", 400),
        (HEADERS, "1000", "POST", b'{"update_id": 1, "poll": {}}', 200),
    ],
)
async def test_a_bad_webhook_changes_nothing_and_leaves_no_word_in_the_log(
    headers: dict[str, str], account: str, method: str, body: bytes, status: int
) -> None:
    lines = io.StringIO()
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    log.configure("channel-adapter", "DEBUG", lines)
    try:
        door = Door()
        answer = await door.telegram(body, headers, account, method)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
    assert (answer.status, answer.events) == (status, 0)
    assert not door.inbound.events
    assert not lines.getvalue()


async def test_without_a_secret_no_webhook_is_taken() -> None:
    door = Door()
    connection = Connection("telegram", "1", ORGANIZATION, TELEGRAM, TelegramReceiver(None), MemorySender())
    receive = ReceiveRequest(by_endpoint([connection]), door._receive._intake, MOST_BYTES)
    answer = await receive(RawRequest("telegram", "1", "POST", HEADERS, "", update(), ""))
    assert answer.status == 403


def photo(number: int) -> bytes:
    chat = {"id": 7, "type": "private"}
    sizes = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    message = {"message_id": 1, "date": 1_772_000_000, "chat": chat, "from": PERSON, "photo": sizes}
    return json.dumps({"update_id": number, "message": message}).encode()


async def test_a_list_is_stored_in_one_window_and_each_is_answered_in_its_place() -> None:
    door = Door()
    answers = await door.many(
        update(5), b"not json", update(6), b'{"update_id": 1, "poll": {}}', b"x" * (MOST_BYTES + 1)
    )
    assert [(answer.status, answer.events) for answer in answers if answer] == [
        (200, 1), (400, 0), (200, 1), (200, 0), (413, 0),
    ]  # fmt: skip
    assert list(door.inbound.events) == ["telegram:1000:5", "telegram:1000:6"]
    assert door.inbound.windows == [2]
    assert {event.traceparent for event in door.inbound.events.values()} == {TRACE}


async def test_in_a_list_only_what_the_stream_has_not_stored_is_asked_for_again() -> None:
    door = Door()
    door.inbound.lost = {"telegram:1000:6"}
    answers = await door.many(update(5), update(6), update(7), update(5))
    assert [answer.status for answer in answers if answer] == [200, 503, 200, 200]
    assert answers[1]
    assert answers[1].retry_after_seconds > 0


async def test_a_request_with_files_is_left_for_a_call_of_its_own() -> None:
    door = Door()
    answers = await door.many(photo(5), update(6))
    assert answers[0] is None
    assert list(door.inbound.events) == ["telegram:1000:6"]
    assert (await door.telegram(photo(5))).events == 1


async def test_an_empty_list_and_one_without_events_touch_no_stream() -> None:
    door = Door()
    assert await door.many() == []
    await door.many(update(5), headers={})
    assert not door.inbound.windows


class Faulty(TelegramReceiver):
    """Has a mistake that shows for one body alone."""

    def parse(self, request: RawRequest) -> Parsed:
        if request.body == update(6):
            raise ValueError("of a text that nobody may read")
        return TelegramReceiver.parse(self, request)


async def test_a_mistake_of_ours_in_one_request_spoils_no_other() -> None:
    door = Door()
    connection = Connection("telegram", "1", ORGANIZATION, TELEGRAM, Faulty(SECRET), MemorySender())
    receive = ReceiveRequest(by_endpoint([connection]), door._receive._intake, MOST_BYTES)
    answers = await receive.many(
        [RawRequest("telegram", "1", "POST", HEADERS, "", update(number), "") for number in (5, 6, 7)]
    )
    assert [answer.status for answer in answers if answer] == [200, 503, 200]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.dictionaries(
    st.sampled_from(
        ["message_id", "date", "chat", "from", "text", "caption", "photo", "document", "voice", "data", "id"]
    ),
    JSON | st.just({"id": 7, "type": "private"}) | st.just(PERSON) | st.integers(0, 9),
    max_size=8,
)
UPDATES = st.builds(
    lambda number, kind, inner: json.dumps({"update_id": number, kind: inner}).encode(),
    st.integers() | JSON,
    st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "channel_post"]),
    PARTS | JSON,
)
WEB_MESSAGES = st.builds(
    lambda inner: json.dumps(inner).encode(),
    st.dictionaries(st.sampled_from(["id", "text", "locale"]), JSON | st.text(max_size=70), max_size=3),
)


@pytest.mark.guarantee("P11-webhooks")
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300) | UPDATES | WEB_MESSAGES | JSON.map(lambda value: json.dumps(value).encode()))
async def test_no_body_breaks_the_door(body: bytes) -> None:
    door = Door()
    for answer in (await door.telegram(body), await door.web(body)):
        assert answer.status in (200, 400)
        assert answer.events == 0 or answer.status == 200


async def test_the_page_brings_messages_of_guests_the_gateway_knows() -> None:
    door = Door()
    answer = await door.web(page("m1", "  Hi coach ", locale="de-AT"))
    assert (answer.status, answer.events) == (200, 1)
    incoming = door.inbound.events["web:default:guest-1:m1"].incoming
    assert (incoming.sender_id, incoming.address) == ("guest-1", "guest-1")
    assert incoming.body == PersonText("Hi coach", locale="de-AT")


@pytest.mark.parametrize(
    ("body", "subject", "status", "reason"),
    [
        (page(), "", 401, "sender"),
        (page(), "a.b c", 401, "sender"),
        (page(text=" \x00 "), "guest-1", 400, "text_empty"),
        (page(text="x" * (TEXT_CHARACTERS + 1)), "guest-1", 400, "text_too_long"),
        (page(identifier=""), "guest-1", 400, "malformed"),
        (page(identifier="no spaces"), "guest-1", 400, "malformed"),
        (b"{}", "guest-1", 400, "malformed"),
    ],
)
async def test_the_page_is_told_what_is_wrong(body: bytes, subject: str, status: int, reason: str) -> None:
    door = Door()
    answer = await door.web(body, subject)
    assert (answer.status, json.loads(answer.body)["error"]) == (status, reason)
    assert json.loads(answer.body)["message"].endswith(".")
    assert not door.inbound.events


async def test_metrics_count_by_channel_and_reason_and_never_name_a_chat() -> None:
    door = Door()
    await door.telegram(update(5, "a marker that is nowhere else"), {})
    await door.telegram(update(6, "a marker that is nowhere else"))
    shown = render().decode()
    assert 'channel_messages_received_total{channel="telegram",outcome="refused_secret_missing"}' in shown
    assert 'channel_messages_received_total{channel="telegram",outcome="stored"}' in shown
    assert "a marker" not in shown
