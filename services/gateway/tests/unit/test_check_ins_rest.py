from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from fakes.gateway_check_ins import MOST, NOT_A_ZONE, TOO_MANY
from fakes.gateway_door import Door
from gateway.domain.refusals import Reason
from gateway.domain.sessions import GuestId

NOWHERE = "0195574e-0000-7000-8000-000000000001"


def asked(**members: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "local_time": "08:30", "time_zone": "Europe/Berlin"} | members


@dataclass(slots=True)
class Guest:
    """Somebody with a session."""

    door: Door
    client: httpx.AsyncClient
    guest_id: GuestId
    headers: dict[str, str]

    async def calls(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.client.request(method, path, json=body, headers=self.headers)

    async def adds(self, **members: Any) -> dict[str, Any]:
        answer = await self.calls("POST", "/v1/check-ins", asked(**members))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def schedule(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.calls("GET", "/v1/check-ins")).json()
        return found


@pytest.fixture
async def newcomer(door: Door) -> AsyncIterator[Guest]:
    async with door.client() as client:
        session = (await client.post("/v1/session")).json()
        yield Guest(door, client, GuestId(session["guest_id"]), {"Authorization": f"Bearer {session['token']}"})


@pytest.fixture
async def guest(newcomer: Guest) -> Guest:
    newcomer.door.conversations.add(newcomer.guest_id, "Hello")
    return newcomer


async def test_who_has_not_written_is_told_to_write_first(newcomer: Guest) -> None:
    schedule = await newcomer.calls("GET", "/v1/check-ins")
    assert (schedule.status_code, schedule.json()) == (200, {
        "known": False, "check_ins": [], "time_zone": "", "quiet_hours": None, "proactive_stopped": False,
    })  # fmt: skip
    hours = {"start": "21:00", "end": "08:00", "time_zone": "Europe/Berlin"}
    for method, path, body in (("POST", "/v1/check-ins", asked()), ("PUT", "/v1/quiet-hours", hours)):
        answer = await newcomer.calls(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_known_yet")
        assert answer.json()["detail"] == "Write to your coach first."


async def test_an_added_check_in_is_in_the_list(guest: Guest) -> None:
    added = await guest.adds(days=["fri", "mon"])
    check_in = added["check_in"]
    assert (check_in["rule"], check_in["days"]) == ("FREQ=WEEKLY;BYDAY=MO,FR", ["mon", "fri"])
    assert (check_in["local_time"], check_in["time_zone"]) == ("08:30", "Europe/Berlin")
    assert check_in["next_due_at"]
    schedule = await guest.schedule()
    assert schedule["known"]
    assert schedule["check_ins"] == [check_in]
    assert schedule["time_zone"] == "Europe/Berlin"
    assert schedule["quiet_hours"] == {"start": "21:00", "end": "08:00"}


@pytest.mark.parametrize(
    ("members", "rule", "days"),
    [
        ({}, "FREQ=DAILY", 7),
        ({"days": []}, "FREQ=DAILY", 7),
        ({"days": ["sat", "sat", "sun"]}, "FREQ=WEEKLY;BYDAY=SA,SU", 2),
        ({"rule": "FREQ=MONTHLY;BYMONTHDAY=1"}, "FREQ=MONTHLY;BYMONTHDAY=1", 0),
    ],
)
async def test_days_or_a_rule_say_when(guest: Guest, members: dict[str, Any], rule: str, days: int) -> None:
    check_in = (await guest.adds(**members))["check_in"]
    assert (check_in["rule"], len(check_in["days"])) == (rule, days)


async def test_asking_twice_with_one_id_adds_one(guest: Guest) -> None:
    body = asked()
    answers = [await guest.calls("POST", "/v1/check-ins", body) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await guest.schedule())["check_ins"]) == 1


async def test_a_check_in_pauses_goes_on_and_goes(guest: Guest) -> None:
    path = f"/v1/check-ins/{(await guest.adds())['check_in']['id']}"
    paused = (await guest.calls("PATCH", path, {"paused": True})).json()
    assert (paused["paused"], paused["next_due_at"]) == (True, None)
    resumed = (await guest.calls("PATCH", path, {"paused": False})).json()
    assert not resumed["paused"]
    assert resumed["next_due_at"]
    gone = await guest.calls("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await guest.schedule())["check_ins"] == []


async def test_quiet_hours_and_the_zone_are_set_together(guest: Guest) -> None:
    await guest.adds()
    new = {"start": "22:00", "end": "06:30", "time_zone": "America/New_York"}
    answer = await guest.calls("PUT", "/v1/quiet-hours", new)
    quiet = {"start": "22:00", "end": "06:30"}
    assert answer.json() == {"quiet_hours": quiet, "time_zone": "America/New_York", "moved_check_ins": 1}
    schedule = await guest.schedule()
    assert (schedule["quiet_hours"], schedule["time_zone"]) == (quiet, "America/New_York")
    assert schedule["check_ins"][0]["time_zone"] == "America/New_York"


async def test_a_stop_is_told(guest: Guest) -> None:
    guest.door.check_ins.of(guest.guest_id).stopped = True
    assert (await guest.schedule())["proactive_stopped"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"local_time": "8:30"}, "local_time"),
        ({"local_time": "24:00"}, "local_time"),
        ({"local_time": "08:30\n"}, "local_time"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "x" * 65}, "time_zone"),
        ({"days": ["monday"]}, "days"),
        ({"id": "1"}, "id"),
        ({"person_id": NOWHERE}, "person_id"),
        ({"rule": "x" * 201}, "rule"),
        ({"rule": "FREQ=DAILY", "days": ["mon"]}, None),
    ],
)
async def test_what_is_malformed_is_named(guest: Guest, members: dict[str, Any], field: str | None) -> None:
    answer = await guest.calls("POST", "/v1/check-ins", asked(**members))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json().get("field") == field
    assert (await guest.schedule())["check_ins"] == []


async def test_what_coaching_refuses_is_told_in_its_words(guest: Guest) -> None:
    answer = await guest.calls("POST", "/v1/check-ins", asked(time_zone="Europe/Atlantis"))
    assert (answer.status_code, answer.json()["code"]) == (422, "not_possible")
    assert (answer.json()["field"], answer.json()["detail"]) == ("time_zone", NOT_A_ZONE)


async def test_too_many_are_too_many(guest: Guest) -> None:
    for _ in range(MOST):
        await guest.adds()
    answer = await guest.calls("POST", "/v1/check-ins", asked())
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (409, "too_many", TOO_MANY)


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"paused": True}), ("DELETE", None)])
async def test_a_check_in_of_somebody_else_is_not_there(guest: Guest, method: str, body: Any) -> None:
    other = GuestId("0195574e-0000-7000-8000-000000000002")
    guest.door.conversations.add(other, "Hello")
    theirs = (await guest.adds())["check_in"]
    guest.door.check_ins.plans[other] = guest.door.check_ins.plans.pop(guest.guest_id)
    for check_in_id in (NOWHERE, theirs["id"]):
        answer = await guest.calls(method, f"/v1/check-ins/{check_in_id}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await guest.calls(method, "/v1/check-ins/1", body)).status_code == 422


ROUTES = [
    ("GET", "/v1/check-ins", None),
    ("POST", "/v1/check-ins", asked()),
    ("PATCH", f"/v1/check-ins/{NOWHERE}", {"paused": True}),
    ("DELETE", f"/v1/check-ins/{NOWHERE}", None),
    ("PUT", "/v1/quiet-hours", {"start": "21:00", "end": "08:00", "time_zone": "UTC"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_nothing_is_told_or_done_without_a_session(guest: Guest, method: str, path: str, body: Any) -> None:
    answer = await guest.client.request(method, path, json=body)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
@pytest.mark.parametrize(("broken", "status"), [(Reason.UNAVAILABLE, 503), (Reason.TIMED_OUT, 504)])
async def test_without_coaching_it_says_so(
    guest: Guest, method: str, path: str, body: Any, broken: Reason, status: int
) -> None:
    guest.door.check_ins.broken = broken
    answer = await guest.calls(method, path, body)
    assert answer.status_code == status
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_an_address_is_limited_here_too(door: Door, method: str, path: str, body: Any) -> None:
    async with door.client(address_requests_per_minute=6, address_requests_burst=2) as client:
        session = (await client.post("/v1/session")).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        answers = [(await client.request(method, path, json=body, headers=headers)).status_code for _ in range(2)]
    assert answers[0] != 429
    assert answers[1] == 429


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/v1/check-ins", "GET, POST"), ("GET", f"/v1/check-ins/{NOWHERE}", "DELETE, PATCH")],
)
async def test_other_methods_are_told_which_there_are(door: Door, method: str, path: str, allowed: str) -> None:
    async with door.client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
