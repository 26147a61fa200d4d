"""Lines and events of a streamed body, however it is cut into pieces."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_inference import dialect, wire
from llm_inference.domain.completion import Delta, Ended, FinishReason
from llm_inference.domain.errors import BackendUnavailableError, InvalidRequestError


async def response(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1)), st.data())
async def test_events_are_the_same_however_the_bytes_arrive(texts: list[str], data: st.DataObject) -> None:
    whole = b"".join(event({"text": text}) for text in texts) + b"data: [DONE]\n\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert [found["text"] async for found in wire.sse(response(*pieces))] == texts


@pytest.mark.parametrize(
    "body",
    [
        event({"a": 1}),
        b"data: {nonsense\n\n",
        b"data: 7\n\n",
        event({"error": {"message": "MARKER"}}),
        b"x" * 1_000_001,
    ],
)
async def test_a_stream_that_breaks_or_makes_no_sense_is_a_failure_of_the_backend(body: bytes) -> None:
    with pytest.raises(BackendUnavailableError) as failed:
        async for _ in wire.sse(response(body)):
            pass
    assert "MARKER" not in str(failed.value)


async def test_comments_between_events_are_passed_over() -> None:
    body = b": ping\n\n" + event({"a": 1}) + b"event: x\n\ndata: [DONE]\n\n"
    assert [found async for found in wire.sse(response(body))] == [{"a": 1}]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, InvalidRequestError), (422, InvalidRequestError), (401, BackendUnavailableError),
     (404, BackendUnavailableError), (429, BackendUnavailableError), (500, BackendUnavailableError)],
)  # fmt: skip
def test_a_status_says_whether_asking_again_helps(status: int, error: type[Exception]) -> None:
    assert type(wire.refusal(status, "do this")) is error


async def test_a_server_that_counts_nothing_has_its_pieces_counted() -> None:
    pieces = [event({"choices": [{"delta": {"content": word}}]}) for word in ("one ", "two")]
    last = event({"choices": [{"delta": {}, "finish_reason": "length"}]}) + b"data: [DONE]\n\n"
    found = [item async for item in dialect.events(response(*pieces, last))]
    assert found == [Delta("one "), Delta("two"), Ended(FinishReason.LENGTH, 0, 0, 2)]
