"""Updates of the Bot API become our events, or are left out for a reason."""

import json
from pathlib import Path

import pytest

from channel_adapter.channels.telegram.handler import TelegramReceiver
from channel_adapter.domain.messages import (
    FileKind,
    Incoming,
    OptOut,
    Parsed,
    PersonText,
    RawRequest,
    RefusedError,
    RemoteFile,
)

PAYLOADS = Path(__file__).parent.parent / "payloads" / "telegram"


def parse(body: bytes) -> Parsed:
    return TelegramReceiver("secret").parse(RawRequest("telegram", "1000", "POST", {}, "", body, ""))


def payload(name: str) -> Parsed:
    return parse((PAYLOADS / f"{name}.json").read_bytes())


def only_event(name: str) -> Incoming:
    parsed = payload(name)
    assert len(parsed.events) == 1
    return parsed.events[0]


def test_a_text_keeps_its_words_its_chat_and_its_place() -> None:
    event = only_event("text")
    assert event.body == PersonText(text="Hallo, ich möchte mehr laufen 🏃", locale="de")
    assert (event.event_id, event.order) == ("881273001", 881273001)
    assert (event.sender_id, event.address) == ("7345001", "7345001")
    assert event.sent_at is not None
    assert event.sent_at.isoformat() == "2026-03-02T08:15:42+00:00"


@pytest.mark.parametrize(
    ("name", "text", "file"),
    [
        ("photo", "Mein Frühstück", RemoteFile("AgACAgIAAxkB-large", FileKind.PHOTO, "image/jpeg", 91231)),
        ("document", "", RemoteFile("BQACAgIAAxkB-plan", FileKind.DOCUMENT, "application/pdf", 48213)),
        ("voice", "", RemoteFile("AwACAgIAAxkB-voice", FileKind.VOICE, "audio/ogg", 17382)),
    ],
)
def test_files_come_with_their_caption(name: str, text: str, file: RemoteFile) -> None:
    assert only_event(name).body == PersonText(text=text, files=(file,), locale="de")


def test_start_keeps_its_payload() -> None:
    body = only_event("start").body
    assert isinstance(body, PersonText)
    assert body.text == "/start link_8f2c"


def test_a_pressed_button_says_its_words_and_is_answered() -> None:
    parsed = payload("callback_query")
    assert parsed.presses == ("4382bfdwdsb323b2d9",)
    assert [event.body for event in parsed.events] == [PersonText(text="Yes, today", locale="de")]


def test_blocking_the_bot_is_an_opt_out() -> None:
    assert only_event("blocked").body == OptOut("blocked")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("edited_message", "edited"),
        ("unblocked", "membership"),
        ("group", "not_private"),
        ("sticker", "no_text_or_file"),
        ("poll", "unknown_kind"),
    ],
)
def test_what_is_left_out_is_left_out_on_purpose(name: str, reason: str) -> None:
    assert payload(name) == Parsed(ignored=(reason,))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"update_id": "1"}',
        b'{"update_id": 99999999999999999999999}',
        b'{"update_id": 1, "message": {"text": "no chat"}}',
        b'{"update_id": 1, "message": []}',
        b'{"update_id": 1, "message": {"message_id": 1, "date": 1e300, "chat": {"id": 1, "type": "private"}}}',
        b'{"update_id": 1, "message": ' + b"[" * 5000,
        b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"\\ud800"}}',
    ],
)
def test_what_is_no_update_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refusal:
        parse(body)
    assert refusal.value.status == 400


def test_the_null_character_never_reaches_the_database() -> None:
    update = json.loads((PAYLOADS / "text.json").read_text())
    update["message"]["text"] = "a\x00b"
    body = parse(json.dumps(update).encode()).events[0].body
    assert isinstance(body, PersonText)
    assert body.text == "ab"
