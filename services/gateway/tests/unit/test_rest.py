import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import jwt
import pytest

from fakes.gateway_door import Door
from gateway.domain.conversation import Role
from gateway.domain.refusals import Reason
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer


async def session(client: httpx.AsyncClient) -> tuple[GuestId, dict[str, str]]:
    answer = await client.post("/v1/session")
    assert answer.status_code == 200, answer.text
    return GuestId(answer.json()["guest_id"]), {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_the_cookie_brings_the_guest_back(door: Door) -> None:
    async with door.client() as client:
        first = await client.post("/v1/session")
        again = await client.post("/v1/session")
        client.cookies.clear()
        other = await client.post("/v1/session")
    assert first.json()["is_new"]
    assert again.json()["guest_id"] == first.json()["guest_id"]
    assert other.json()["guest_id"] != first.json()["guest_id"]
    cookie = first.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/v1/session", "Max-Age=34560000"):
        assert part in cookie
    assert "Secure" not in cookie
    assert first.headers["cache-control"] == "no-store"


async def test_over_https_the_cookie_is_secure_and_the_browser_told_to_stay(door: Door) -> None:
    async with door.client(public_url="https://coach.test") as client:
        answer = await client.post("/v1/session")
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize(("algorithm", "minutes"), [("HS256", 30), ("HS384", 5), ("HS512", 1440)])
async def test_tokens_are_signed_and_end_as_the_settings_say(door: Door, algorithm: str, minutes: int) -> None:
    async with door.client(jwt_algorithm=algorithm, jwt_expire_minutes=minutes) as client:
        token = (await client.post("/v1/session")).json()["token"]
        answer = await client.get("/v1/messages", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == minutes * 60


async def test_a_page_of_another_site_cannot_make_sessions(door: Door) -> None:
    async with door.client() as client:
        answer = await client.post("/v1/session", headers={"Origin": "https://evil.example"})
        own = await client.post("/v1/session", headers={"Origin": "http://coach.test"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert "set-cookie" not in answer.headers
    assert own.status_code == 200
    assert not any(name.startswith("access-control") for name in own.headers)


async def test_a_message_is_accepted_once_the_adapter_stored_it(door: Door) -> None:
    async with door.client() as client:
        guest, headers = await session(client)
        message = {"id": str(uuid4()), "text": "  Ich möchte laufen.\r\nMorgen. "}
        answer = await client.post("/v1/messages", json=message, headers=headers | {"Accept-Language": "de-DE,en"})
    assert (answer.status_code, answer.json()) == (202, {"id": message["id"], "status": "accepted"})
    (request,) = door.inbound.requests
    assert (request.channel, request.account, request.authenticated_subject) == ("web", "default", guest)
    assert httpx.Response(200, content=request.body).json() == {
        "id": message["id"], "text": "Ich möchte laufen.\nMorgen.", "locale": "de-DE",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(400), 422),
        (Answer(413), 422),
        (Answer(429, retry_after_seconds=3), 429),
        (Answer(500), 503),
        (Answer(503), 503),
    ],
)
async def test_what_the_channel_does_not_take_is_not_accepted(door: Door, answer: Answer, status: int) -> None:
    door.inbound.judge = lambda _: answer
    async with door.client() as client:
        _, headers = await session(client)
        got = await client.post("/v1/messages", json={"id": str(uuid4()), "text": "x"}, headers=headers)
    assert got.status_code == status
    assert got.headers["content-type"] == "application/problem+json"
    assert not {"{", "`"} & set(got.json()["detail"])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"id":"1","text":"x"}', b'{"id":"0195574e-0000-7000-8000-000000000001","text":"  "}',
     b'{"id":"0195574e-0000-7000-8000-000000000001","text":"\\ud83d"}', b"\xff\xfe",
     b'{"id":"0195574e-0000-7000-8000-000000000001","text":"x","admin":true}'],
)  # fmt: skip
async def test_a_malformed_message_says_what_to_correct_and_quotes_nothing(door: Door, body: bytes) -> None:
    async with door.client() as client:
        _, headers = await session(client)
        answer = await client.post("/v1/messages", content=body, headers=headers | {"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] in ("invalid_request", "text_invalid")
    assert "admin" not in answer.json()["title"]
    assert door.inbound.requests == []


async def test_the_history_is_the_guests_own_newest_page_first(door: Door) -> None:
    async with door.client() as client:
        guest, headers = await session(client)
        for number in range(5):
            door.conversations.add(guest, f"message {number}", client_id=f"c{number}")
        door.conversations.add(guest, "answer", Role.COACH, source="template", turn_id="t")
        door.conversations.add(GuestId("somebody else"), "private")
        newest = (await client.get("/v1/messages?limit=2", headers=headers)).json()
        earlier = await client.get(
            f"/v1/messages?limit=10&before={newest['messages'][0]['message_id']}", headers=headers
        )
    assert [message["text"] for message in newest["messages"]] == ["message 4", "answer"]
    assert newest["has_more"]
    assert newest["messages"][1]["source"] == "template"
    assert newest["messages"][1]["role"] == "coach"
    assert [message["client_id"] for message in earlier.json()["messages"]] == ["c0", "c1", "c2", "c3"]
    assert not earlier.json()["has_more"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/messages"), ("POST", "/v1/messages")])
@pytest.mark.parametrize("token", [None, "Bearer x", "Basic eDp5", "Bearer"])
async def test_without_a_valid_token_nothing_is_told(door: Door, method: str, path: str, token: str | None) -> None:
    async with door.client() as client:
        headers = {"Authorization": token} if token else {}
        body = {"id": str(uuid4()), "text": "x"} if method == "POST" else None
        answer = await client.request(method, path, headers=headers, json=body)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "POST /v1/session" in answer.json()["detail"]


async def test_a_guest_who_sends_too_much_is_told_when_to_go_on(door: Door) -> None:
    async with door.client(guest_messages_per_minute=2, guest_messages_burst=1) as client:
        _, headers = await session(client)
        await client.post("/v1/messages", json={"id": str(uuid4()), "text": "x"}, headers=headers)
        answer = await client.post("/v1/messages", json={"id": str(uuid4()), "text": "x"}, headers=headers)
        _, other = await session(client)
    assert answer.status_code == 429
    assert answer.json()["retry_after"] == int(answer.headers["retry-after"]) == 30
    assert answer.json()["detail"] == "Wait 30 s, then try again."
    assert other


async def test_an_address_is_limited_whoever_it_says_to_be(door: Door) -> None:
    async with door.client(address_requests_per_minute=6, address_requests_burst=3) as client:
        answers = [
            (await client.post("/v1/session", headers={"X-Forwarded-For": f"1.2.3.{number}"})).status_code
            for number in range(5)
        ]
    assert answers == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    ("broken", "status"), [(Reason.UNAVAILABLE, 503), (Reason.TIMED_OUT, 504), (Reason.INVALID, 422)]
)
async def test_when_coaching_is_away_the_history_says_so(door: Door, broken: Reason, status: int) -> None:
    door.conversations.broken = broken
    async with door.client() as client:
        _, headers = await session(client)
        answer = await client.get("/v1/messages", headers=headers)
    assert answer.status_code == status


async def test_request_timeout_bounds_a_request(door: Door) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    door.conversations.history = stuck  # type: ignore[method-assign, assignment]  # what no adapter should do
    async with door.client(request_timeout=0.1) as client:
        _, headers = await session(client)
        answer = await client.get("/v1/messages", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (504, "timed_out")


async def test_a_defect_is_a_500_without_its_text(door: Door) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("what a person wrote")

    door.conversations.history = broken  # type: ignore[method-assign, assignment]  # what no adapter should do
    async with door.client() as client:
        _, headers = await session(client)
        answer = await client.get("/v1/messages", headers=headers)
    assert answer.status_code == 500
    assert "what a person wrote" not in answer.text


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_refused(door: Door, chunked: bool) -> None:
    body = b'{"text":"' + b"x" * 70_000 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    async with door.client() as client:
        _, headers = await session(client)
        content = chunks() if chunked else body
        headers |= {"Content-Type": "application/json"}
        answer = await client.post("/v1/messages", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("PUT", "/v1/messages", 405), ("OPTIONS", "/v1/session", 405)],
)
async def test_other_requests_are_problems_too(door: Door, method: str, path: str, status: int) -> None:
    async with door.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert status != 405 or answer.headers["allow"]
