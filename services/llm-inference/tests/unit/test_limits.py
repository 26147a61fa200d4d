"""What one request may hold."""

from dataclasses import replace

import pytest

from llm_inference.domain.completion import Completion, Message, Speaker
from llm_inference.domain.errors import InvalidRequestError
from llm_inference.domain.limits import Limits

LIMITS = Limits(context_tokens=1000)
GOOD = Completion(messages=(Message(Speaker.USER, "hello"),))


def test_an_ordinary_request_passes() -> None:
    LIMITS.check(GOOD)


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (replace(GOOD, messages=()), "messages"),
        (replace(GOOD, messages=GOOD.messages * 401), "400 messages"),
        (replace(GOOD, messages=(Message(Speaker.USER, ""),)), "empty"),
        (replace(GOOD, messages=(Message(Speaker.USER, "x" * 8001),)), "shorten"),
        (replace(GOOD, max_tokens=1000), "max_tokens"),
        (replace(GOOD, temperature=-0.1), "temperature"),
        (replace(GOOD, temperature=float("nan")), "temperature"),
        (replace(GOOD, stop=("x",) * 9), "stop"),
        (replace(GOOD, stop=("",)), "stop"),
        (replace(GOOD, stop=("x" * 65,)), "stop"),
        (replace(GOOD, cache_key="x" * 201), "cache_key"),
    ],
)
def test_what_is_over_a_limit_is_refused_by_the_name_of_the_limit(request_: Completion, names: str) -> None:
    with pytest.raises(InvalidRequestError, match=names):
        LIMITS.check(request_)


def test_a_request_shows_no_text_when_it_is_printed() -> None:
    request = Completion(messages=(Message(Speaker.USER, "MARKER"),), stop=("MARKER",), schema={"const": "MARKER"})
    assert "MARKER" not in repr(request)


def test_the_shared_beginning_is_the_leading_system_message() -> None:
    system = Message(Speaker.SYSTEM, "be kind")
    assert replace(GOOD, messages=(system, *GOOD.messages)).system_text == "be kind"
    assert replace(GOOD, messages=(*GOOD.messages, system)).system_text == ""
