"""How every refusal looks from outside: RFC 9457 problems that say what to do."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.types import Send

from gateway.domain.conversation import MAX_TEXT_CHARACTERS
from gateway.domain.refusals import Reason, Refused

MEDIA_TYPE = "application/problem+json"
WAIT = "{wait}"


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    type: str = Field(description="A name for this kind of problem.")
    title: str = Field(description="What went wrong.")
    status: int = Field(description="The HTTP status again.")
    detail: str = Field(description="What to do about it.")
    code: str = Field(description="One word for programs.")
    retry_after: int | None = Field(default=None, description="Seconds after which trying again makes sense.")
    field: str | None = Field(default=None, description="What of the request it is about, where that is one thing.")


@dataclass(frozen=True, slots=True)
class Advice:
    """A status, what went wrong, and what to do; WAIT in the latter stands for how long to wait."""

    status: int
    title: str
    detail: str

    def detail_with(self, retry_after: int) -> str:
        """Return what to do, with the seconds to wait where it says so."""
        return self.detail.replace(WAIT, f"{retry_after} s" if retry_after else "a moment")


ADVICE: dict[Reason, Advice] = {
    Reason.UNAUTHORIZED: Advice(
        401, "Your session has ended", "Ask POST /v1/session for a new token and send it as `Authorization: Bearer`."
    ),
    Reason.ORIGIN: Advice(403, "This page may not do that", "Open the coach under its own address."),
    Reason.TEXT_EMPTY: Advice(422, "There is nothing to send", "Write a message first."),
    Reason.TEXT_TOO_LONG: Advice(
        422, "The message is too long", f"Shorten it to {MAX_TEXT_CHARACTERS} characters, or send it in parts."
    ),
    Reason.TEXT_INVALID: Advice(422, "The message is not readable text", "Send Unicode text."),
    Reason.INVALID: Advice(422, "The request is not understood", "See /openapi.json for what is expected."),
    Reason.TOO_LARGE: Advice(413, "The request is too large", "Send less at once."),
    Reason.RATE_LIMITED: Advice(429, "That was a lot at once", f"Wait {WAIT}, then try again."),
    Reason.REFUSED: Advice(422, "The message was not taken", "Change it and send it again with a new id."),
    Reason.NOT_POSSIBLE: Advice(422, "That is not possible", "Change it and send it again."),
    Reason.NOT_FOUND: Advice(404, "That is not there", "Read the list again; it may have been removed."),
    Reason.NOT_KNOWN_YET: Advice(409, "Your coach does not know you yet", "Write to your coach first."),
    Reason.TOO_MANY: Advice(409, "You have as many as there can be", "Remove one first."),
    Reason.UNAVAILABLE: Advice(503, "The coach cannot be reached", f"Try again in {WAIT}."),
    Reason.TIMED_OUT: Advice(504, "That took too long", "Try again; sending with the same id again is safe."),
}
assert set(ADVICE) == set(Reason)  # noqa: S101  # a reason without advice must not ship


def body_of(reason: Reason, retry_after: int = 0) -> dict[str, Any]:
    """Return the problem of a refusal."""
    advice = ADVICE[reason]
    return problem(advice.status, advice.title, advice.detail_with(retry_after), reason.value, retry_after)


def body_of_refusal(refused: Refused) -> dict[str, Any]:
    """Return the problem of a refusal, with what another part says about it."""
    members = body_of(refused.reason, refused.retry_after)
    members |= {"detail": refused.advice} if refused.advice else {}
    return members | ({"field": refused.field} if refused.field else {})


def problem(status: int, title: str, detail: str, code: str, retry_after: int = 0) -> dict[str, Any]:
    """Return a problem's members."""
    members: dict[str, Any] = {
        "type": f"urn:coach:problem:{code}", "title": title, "status": status, "detail": detail, "code": code,
    }  # fmt: skip
    return members | ({"retry_after": retry_after} if retry_after else {})


def plain_problem(status: int, detail: str) -> dict[str, Any]:
    """Return a problem that is only its HTTP status and advice."""
    phrase = HTTPStatus(status).phrase
    return problem(status, phrase, detail, phrase.lower().replace(" ", "_").replace("-", "_"))


def headers_of(members: dict[str, Any]) -> dict[str, str]:
    """Return the headers that belong to a problem."""
    headers = {"Cache-Control": "no-store"}
    if members["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in members:
        headers["Retry-After"] = str(members["retry_after"])
    return headers


async def send_problem(send: Send, members: dict[str, Any]) -> None:
    """Answer with a problem from bare ASGI code."""
    body = json.dumps(members).encode()
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body))} | headers_of(members)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": members["status"], "headers": raw})
    await send({"type": "http.response.body", "body": body})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of a route that may answer with these problems."""
    schema = Problem.model_json_schema()
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
