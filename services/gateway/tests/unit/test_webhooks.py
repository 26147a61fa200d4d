import asyncio
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from fakes.gateway_door import Door
from gateway.domain.refusals import Reason
from gateway.domain.webhooks import Answer

URL = "/webhooks/telegram/4711"


async def test_the_body_and_what_belongs_to_it_are_passed_on_unchanged(door: Door) -> None:
    body = b'{ "update_id":1,\t"x": "\xff"}\n'
    async with door.client() as client:
        answer = await client.post(
            f"{URL}?a=1&b=%20",
            content=body,
            headers={b"X-Secret": "Ünser".encode("latin-1"), b"Cookie": b"coach_guest=x"},
        )
    assert answer.status_code == 200
    (request,) = door.inbound.requests
    assert (request.channel, request.account, request.method) == ("telegram", "4711", "POST")
    assert (request.body, request.query, request.authenticated_subject) == (body, "a=1&b=%20", "")
    headers = dict(request.headers)
    assert headers["x-secret"] == "Ünser"
    assert "cookie" not in headers


async def test_the_answer_is_the_handlers(door: Door) -> None:
    door.inbound.judge = lambda _: Answer(403, "text/plain", b"no", retry_after_seconds=0)
    async with door.client() as client:
        answer = await client.get(f"{URL}?hub.challenge=1")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (403, "no", "text/plain")
    assert door.inbound.requests[0].method == "GET"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_content_type_that_could_split_headers_is_not_passed_on(door: Door) -> None:
    door.inbound.judge = lambda _: Answer(200, "text/html\r\nSet-Cookie: x=1", b"")
    async with door.client() as client:
        answer = await client.post(URL)
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/webhooks/telegram", 404),
        ("POST", "/webhooks/telegram/", 404),
        ("POST", "/webhooks/Telegram/1", 404),
        ("POST", "/webhooks/tele.gram/1", 404),
        ("POST", "/webhooks/telegram/1/2", 404),
        ("POST", "/webhooks/telegram/*", 404),
        ("POST", "/webhooks/telegram/" + "1" * 65, 404),
        ("POST", "/webhooks/telegram/%E2%82%AC", 404),
        ("PUT", URL, 405),
        ("DELETE", URL, 405),
        ("POST", f"{URL}?{'q' * 9000}", 414),
    ],
)
@pytest.mark.guarantee("P11-webhooks")
async def test_what_is_no_webhook_gets_a_clear_4xx_and_goes_nowhere(
    door: Door, method: str, path: str, status: int
) -> None:
    async with door.client() as client:
        answer = await client.request(method, path, content=b"{}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert door.inbound.requests == []


async def test_too_many_headers_are_refused_not_cut(door: Door) -> None:
    async with door.client() as client:
        many = await client.post(URL, headers={f"x-{number}": "1" for number in range(100)})
        long = await client.post(URL, headers={"x-long": "1" * 20_000})
    assert (many.status_code, long.status_code) == (431, 431)


@pytest.mark.guarantee("P11-webhooks")
async def test_a_declared_body_over_the_limit_is_refused_unread(door: Door) -> None:
    app = door.app(webhook_max_body_bytes=1024)
    caller = Caller(app, [(b"content-length", b"1025")])
    await caller.run()
    assert caller.status == 413
    assert caller.reads_before_answer == 0


@pytest.mark.guarantee("P11-webhooks")
async def test_an_undeclared_body_is_refused_at_the_first_byte_too_many(door: Door) -> None:
    app = door.app(webhook_max_body_bytes=1024)
    caller = Caller(app, [], chunks=[b"x" * 512] * 1000)
    await caller.run()
    assert caller.status == 413
    assert caller.reads_before_answer == 3
    assert door.inbound.requests == []


async def test_a_body_of_exactly_the_limit_is_taken(door: Door) -> None:
    async with door.client(webhook_max_body_bytes=1024) as client:
        answer = await client.post(URL, content=b"x" * 1024)
    assert answer.status_code == 200


async def test_a_body_that_does_not_end_is_not_waited_for(door: Door) -> None:
    caller = Caller(door.app(request_timeout=0.1), [], chunks=[b"x"], stall=True)
    await caller.run()
    assert caller.status == 408


async def test_a_client_that_leaves_in_the_middle_changes_nothing(door: Door) -> None:
    caller = Caller(door.app(), [], chunks=[b"x"], leave=True)
    await caller.run()
    assert caller.status == 400
    assert door.inbound.requests == []


@pytest.mark.parametrize(("broken", "status"), [(Reason.UNAVAILABLE, 503), (Reason.TIMED_OUT, 504)])
async def test_an_adapter_that_is_away_makes_the_provider_come_again(door: Door, broken: Reason, status: int) -> None:
    door.inbound.broken = broken
    async with door.client() as client:
        answer = await client.post(URL, content=b"{}")
    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) > 0


async def test_an_adapter_that_does_not_answer_is_given_up_after_the_request_timeout(door: Door) -> None:
    door.inbound.seconds = 60
    async with door.client(request_timeout=0.1) as client:
        answer = await client.post(URL, content=b"{}")
    assert answer.status_code == 504


async def test_the_adapters_503_says_when_to_come_again(door: Door) -> None:
    door.inbound.judge = lambda _: Answer(503, "text/plain", b"", retry_after_seconds=7)
    async with door.client() as client:
        answer = await client.post(URL, content=b"{}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_an_adapter_that_answers_nonsense_is_not_believed(door: Door) -> None:
    door.inbound.judge = lambda _: Answer(0)
    async with door.client() as client:
        answer = await client.post(URL, content=b"{}")
    assert answer.status_code == 503


async def test_max_workers_bounds_the_requests_in_progress(door: Door) -> None:
    door.inbound.seconds = 0.3
    async with door.client(max_workers=1) as client:
        answers = await asyncio.gather(*(client.post(URL, content=b"{}") for _ in range(40)))
        later = await client.post(URL, content=b"{}")
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(503)) == (32, 8)
    assert door.inbound.most_busy == 32
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
    assert later.status_code == 200


async def test_a_webhook_is_counted_by_its_template(door: Door) -> None:
    async with door.client() as client:
        before = metric((await client.get("/metrics")).text, URL)
        await client.post("/webhooks/telegram/98765", content=b"{}")
        text = (await client.get("/metrics")).text
    assert metric(text, URL) == before + 1
    assert "98765" not in text


def metric(text: str, _: str) -> float:
    name = 'http_requests_total{endpoint="/webhooks/{channel}/{account}",method="POST",status="200"} '
    return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


class Caller:
    """One request by hand: shows how much was read before the answer began."""

    def __init__(
        self, app: ASGIApp, headers: list[tuple[bytes, bytes]], chunks: list[bytes] | None = None,
        stall: bool = False, leave: bool = False,
    ) -> None:  # fmt: skip
        self._app = app
        self._headers = headers
        self._chunks = chunks or []
        self._stall = stall
        self._leave = leave
        self._reads = 0
        self.reads_before_answer = -1
        self.status = 0

    async def run(self) -> None:
        scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": URL, "query_string": b"", "headers": self._headers,
            "scheme": "http", "client": ("192.0.2.1", 1), "http_version": "1.1",
        }  # fmt: skip
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        self._reads += 1
        if self._reads <= len(self._chunks):
            return {"type": "http.request", "body": self._chunks[self._reads - 1], "more_body": True}
        if self._leave:
            return {"type": "http.disconnect"}
        if self._stall:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.reads_before_answer = self._reads
