"""The client that asks again only when it may, and the account of what people wrote and were answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fakes import patience
from fakes.openai_server import Asked
from fakes.patience import Fate, Request, patiently
from fakes.people import Written, echoing
from support.ledger import judged
from support.ports import free_port

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
BUSY_FOREVER = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
REQUEST = Request("message", "POST", "/v1/messages", b"{}")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0.0, 0.0))


@asynccontextmanager
async def server(*answers: bytes) -> AsyncIterator[str]:
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("answers", "succeeded", "tries"),
    [
        ([OK], True, ["202"]),
        ([BUSY, OK], True, ["503 after 0", "202"]),
        ([BUSY, BUSY, OK], True, ["503 after 0", "503 after 0", "202"]),
        ([BUSY, BUSY, BUSY], False, ["503 after 0"] * 3),
        ([BUSY_FOREVER], False, ["503"]),
        ([BROKEN], False, ["502"]),
        ([HALF], False, ["broken off: IncompleteRead"]),
    ],
    ids=["at once", "busy once", "busy twice", "busy three times", "without Retry-After", "502", "cut"],
)
async def test_only_what_may_be_tried_again_is(answers: list[bytes], succeeded: bool, tries: list[str]) -> None:
    async with server(*answers) as base:
        fate = await patiently(base, REQUEST)
    assert fate.succeeded is succeeded
    assert [one.partition(":")[0] for one in fate.tries] == [one.partition(":")[0] for one in tries]


async def test_a_refused_connection_is_tried_three_times() -> None:
    fate = await patiently(f"http://127.0.0.1:{free_port()}", REQUEST)
    assert (fate.succeeded, fate.tries) == (False, ["refused"] * 3)


def one(word: str, *answers: str, **fate: Any) -> dict[str, Any]:
    told = Fate("message", 100.0, ["202"], 0.1, succeeded=True).told() | fate
    return {
        "word": word, "channel": "web", "at": 100.0, "accepted": told["succeeded"], "requests": [told],
        "answers": list(answers), "id": word, "stored": [word], "replied": [word for _ in answers],
    }  # fmt: skip


def said(word: str) -> str:
    return echoing(Asked({}, {}, f"Today I want to begin with {word}.", None)).text


def message(role: str, turn: str, client_id: str = "") -> dict[str, Any]:
    return {"role": role, "text": role, "turn_id": turn, "client_id": client_id}


def test_a_history_tells_what_was_stored_and_which_of_it_was_answered() -> None:
    written = Written("task1", "web", 100.0, id="a")
    written.take([message("person", "1", "a"), message("coach", "1"), message("coach", "2")])
    assert (written.stored, written.replied, written.answers) == (["a"], ["a", ""], ["coach", "coach"])
    written.take([message("person", "1", "a"), message("person", "1", "a"), message("coach", "1")])
    assert (written.stored, written.replied) == (["a", "a"], ["a"])


def test_everything_answered_once_has_no_fault() -> None:
    ledger = judged({"written": [one("task1", said("task1")), one("task2", said("task2"), tries=["refused", "202"])]})
    assert not ledger.faults()
    assert "2 messages" in str(ledger)
    assert "'refused': 1" in str(ledger)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (one("task1"), "accepted and not answered"),
        (one("task1", said("task1"), said("task1")), "answered more than once"),
        (one("task1", said("task2")), "answered without the model"),
        (one("task1", "I cannot think right now."), "answered without the model"),
        (one("task1", succeeded=False, tries=["502"]), "requests that failed"),
        (one("task1", said("task1")) | {"stored": ["task1", "task1"]}, "not once in the history"),
        (one("task1", said("task1")) | {"stored": ["another"]}, "not once in the history"),
        (one("task1", said("task1")) | {"replied": ["another"]}, "answered another id"),
        (one("task1", said("task1"), seconds=31.0), "requests that failed"),
        (one("task1", said("task1"), tries=["refused"] * 3 + ["202"]), "requests that failed"),
    ],
)
def test_each_fault_is_found_and_shown(written: dict[str, Any], kind: str) -> None:
    ledger = judged({"written": [written, one("task2", said("task2"))]})
    assert list(ledger.faults()) == [kind]
    assert kind in str(ledger)
    assert "task1" in str(ledger)
