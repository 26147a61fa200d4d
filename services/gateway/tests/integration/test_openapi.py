"""What /openapi.json says is true: schemathesis calls every operation and finds no answer that is not written there."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.testclient import TestClient

from fakes.gateway_door import Door
from gateway.domain.sessions import GuestId

door = Door()
APP = door.app()
# Which names are time zones, and which rules are rules, is no matter of a schema: coaching refuses some with 422.
WITH_TIME_ZONE = ("/v1/check-ins", "/v1/quiet-hours")
schema = schemathesis.openapi.from_asgi("/openapi.json", APP)


def token() -> str:
    """Return the token of a new guest who has written."""
    with TestClient(APP) as client:
        session = client.post("/v1/session").json()
    door.conversations.add(GuestId(session["guest_id"]), "Hello")
    found: str = session["token"]
    return found


@schema.parametrize()
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented(case: schemathesis.Case[Any]) -> None:
    # A query parameter that we do not know is ignored, so that an older gateway can serve a newer page.
    bearer = {"Authorization": f"Bearer {token()}"}
    if case.path in WITH_TIME_ZONE:
        case.call_and_validate(headers=bearer, excluded_checks=[negative_data_rejection, positive_data_acceptance])
    else:
        case.call_and_validate(headers=bearer, excluded_checks=[negative_data_rejection])


async def test_the_interface_is_described_for_programs_and_not_for_the_world() -> None:
    async with door.client() as client:
        document = (await client.get("/openapi.json")).json()
        pages = [(await client.get(path)).status_code for path in ("/docs", "/redoc")]
    assert set(document["paths"]) == {
        "/v1/session", "/v1/messages", "/v1/check-ins", "/v1/check-ins/{check_in_id}", "/v1/quiet-hours",
    }  # fmt: skip
    assert pages == [404, 404]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            assert all(
                int(status) < 400 or "application/problem+json" in answer["content"]
                for status, answer in operation["responses"].items()
            )
