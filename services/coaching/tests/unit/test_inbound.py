"""From bytes to events: what is right is read, everything else is refused by the name of a field."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coaching.domain.deliveries import State
from coaching.domain.inbound import InboundOptOut, InboundReceipt, InboundText
from coaching.entrypoints.inbound import MAX_FILES, MAX_TEXT, UnreadableError, read
from contracts.events.v1 import events_pb2
from kit.clock import FixedClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOCK = FixedClock(NOW)
ORGANIZATION = "00000000-0000-7000-8000-000000000001"


def event(**fields: Any) -> events_pb2.InboundEvent:
    given = {
        "organization_id": ORGANIZATION, "channel": "telegram", "account": "4711", "event_id": "e1",
        "sender_id": "99", "address": "99", "order": 7,
    }  # fmt: skip
    return events_pb2.InboundEvent(**{**given, **fields})


def text(**fields: Any) -> events_pb2.InboundEvent:
    return event(text=events_pb2.TextMessage(text="hello", locale="de"), **fields)


def test_a_text_is_read() -> None:
    found = read(text().SerializeToString(), CLOCK)
    assert isinstance(found, InboundText)
    assert (found.text, found.locale, found.order, found.sent_at) == ("hello", "de", 7, NOW)


def test_the_providers_time_is_kept() -> None:
    told = text()
    told.sent_at.FromDatetime(datetime(2026, 2, 1, tzinfo=UTC))
    found = read(told.SerializeToString(), CLOCK)
    assert isinstance(found, InboundText)
    assert found.sent_at == datetime(2026, 2, 1, tzinfo=UTC)


def test_too_much_is_cut_and_nul_is_left_out() -> None:
    long = event(text=events_pb2.TextMessage(text="\0a" * MAX_TEXT, files=[events_pb2.FileReference()] * 30))
    found = read(long.SerializeToString(), CLOCK)
    assert isinstance(found, InboundText)
    assert found.text == "a" * MAX_TEXT
    assert len(found.files) == MAX_FILES


@pytest.mark.parametrize(
    ("told", "state"), [("delivered", State.DELIVERED), ("read", State.READ), ("failed", State.FAILED)]
)
def test_a_receipt_is_read(told: str, state: State) -> None:
    body = events_pb2.DeliveryReceipt(provider_message_id="p1", state=told, reason="some text with spaces")
    found = read(event(receipt=body).SerializeToString(), CLOCK)
    assert isinstance(found, InboundReceipt)
    assert (found.state, found.reason) == (state, "")


def test_an_opt_out_is_read() -> None:
    found = read(event(opt_out=events_pb2.ChannelOptOut(reason="blocked")).SerializeToString(), CLOCK)
    assert isinstance(found, InboundOptOut)
    assert found.received_at == NOW


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (text(organization_id="nobody"), "organization_id"),
        (text(channel=""), "channel"),
        (text(channel="a.b"), "channel"),
        (text(account="> *"), "account"),
        (text(event_id=""), "event_id"),
        (text(event_id="x" * 513), "event_id"),
        (text(sender_id="a\0b"), "sender_id"),
        (text(address=""), "address"),
        (event(), "body"),
        (event(receipt=events_pb2.DeliveryReceipt(provider_message_id="p", state="seen")), "receipt.state"),
        (
            event(receipt=events_pb2.DeliveryReceipt(provider_message_id="", state="read")),
            "receipt.provider_message_id",
        ),
        (event(text=events_pb2.TextMessage(files=[events_pb2.FileReference(sha256="../x")])), "files.sha256"),
    ],
)
def test_what_is_wrong_is_refused_by_name(broken: events_pb2.InboundEvent, field: str) -> None:
    with pytest.raises(UnreadableError, match=f"^{field}$"):
        read(broken.SerializeToString(), CLOCK)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with contextlib.suppress(UnreadableError):
        _ = read(payload, CLOCK)
