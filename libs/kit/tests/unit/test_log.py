"""Logs: one JSON object a line, and nothing in it that a person told their coach."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from kit import log

MARKER = "marker-7f3a"


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_a_word_and_keys(json_log: io.StringIO) -> None:
    log.get_logger("a").info("turn_recorded", source="model", tokens=3)
    [event] = read(json_log)
    assert (event["event"], event["source"], event["tokens"], event["level"]) == ("turn_recorded", "model", 3, "info")
    assert event["service"] == "kit-test"


@pytest.mark.parametrize("key", sorted(log.PRIVATE_KEYS - {"message"}))
def test_private_keys_are_redacted_however_deep(key: str, json_log: io.StringIO) -> None:
    log.get_logger("a").info("x", **{key: MARKER}, outer={"inner": [{key: MARKER}]})
    assert MARKER not in json_log.getvalue()
    assert log.REDACTED in json_log.getvalue()


def test_an_exception_is_named_and_placed_and_its_text_left_out(json_log: io.StringIO) -> None:
    try:
        raise ValueError(MARKER)
    except ValueError:
        log.get_logger("a").exception("step_failed")
    [event] = read(json_log)
    assert event["error"] == "ValueError"
    assert any("test_log.py" in place for place in event["at"])
    assert MARKER not in json_log.getvalue()


def deep(calls: int) -> None:
    try:
        if not calls:
            raise KeyError(MARKER)
        deep(calls - 1)
    except KeyError:
        raise ValueError(MARKER) from None


@pytest.mark.parametrize(("debug", "places", "first"), [(False, 8, None), (True, 14, "KeyError")])
def test_debug_shows_the_whole_way_of_an_error_and_still_no_text(debug: bool, places: int, first: str | None) -> None:
    stream = io.StringIO()
    log.configure("kit-test", "DEBUG", stream, debug=debug)
    try:
        deep(12)
    except ValueError:
        log.get_logger("a").exception("step_failed")
    finally:
        structlog.reset_defaults()
    [event] = read(stream)
    assert len(event["at"]) == places
    assert event.get("while_handling", {}).get("error") == first
    assert MARKER not in stream.getvalue()


def test_a_library_may_not_log_its_arguments(json_log: io.StringIO) -> None:
    logging.getLogger("some.library").warning("statement %s failed", MARKER)
    logging.getLogger("httpx").info("GET https://host/bot%s", MARKER)
    logging.getLogger("sqlalchemy.engine").debug(MARKER)
    assert MARKER not in json_log.getvalue()
    assert [event["event"] for event in read(json_log)] == ["statement %s failed"]


def test_credentials_inside_an_address_are_hidden(json_log: io.StringIO) -> None:
    log.get_logger("a").info("connecting", server="nats://user:hunter2@127.0.0.1:4222")
    assert "hunter2" not in json_log.getvalue()
    assert "127.0.0.1:4222" in json_log.getvalue()
