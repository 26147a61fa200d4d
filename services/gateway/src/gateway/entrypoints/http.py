"""The REST interface of the page: a session, the history, and sending without a socket."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, compile_path

from gateway.domain.conversation import (
    MAX_TEXT_CHARACTERS,
    OutgoingMessage,
    Role,
    StoredMessage,
    check_text,
    preferred_language,
)  # fmt: skip
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import COOKIE_LIFETIME, Session
from gateway.entrypoints import check_ins, problems
from gateway.entrypoints.peers import peer_of
from gateway.entrypoints.rest import Rest

COOKIE = "coach_guest"
COOKIE_PATH = "/v1/session"  # nothing else ever sees it
PAGE_METHODS = ("GET", "HEAD")
ADVICE_BY_STATUS = {
    404: "Nothing is here; the page is at / and its interface in /openapi.json.",
    405: "Use a method that the Allow header names.",
    413: problems.ADVICE[Reason.TOO_LARGE].detail,
}


class SessionAnswer(BaseModel):
    """A guest's session."""

    guest_id: str = Field(description="Who you are here; the cookie brings you back as the same guest.")
    token: str = Field(description="Send as `Authorization: Bearer`, and in the first frame of /v1/chat.")
    expires_at: datetime = Field(description="When the token ends; ask for a new one before.")
    is_new: bool = Field(description="Whether this guest was made just now.")


class NewMessage(BaseModel):
    """A message to the coach."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(description="Your own id of it; sending again with the same id is safe.")
    text: str = Field(
        min_length=1, max_length=MAX_TEXT_CHARACTERS, pattern=r"[^\s\x00-\x1F\x7F]", description="What you say."
    )


class AcceptedAnswer(BaseModel):
    """The message is stored; the answer comes over the socket, and into the history."""

    id: UUID
    status: Literal["accepted"] = "accepted"


class MessageAnswer(BaseModel):
    """One message of the conversation."""

    message_id: str
    role: Role
    text: str
    created_at: datetime
    turn_id: str = Field(description="The turn that it belongs to.")
    source: str = Field(description="Where the coach's words come from: model, template, crisis, command.")
    client_id: str = Field(description="Of your own messages: the id that you gave it.")
    file_names: list[str]

    @classmethod
    def of(cls, message: StoredMessage) -> "MessageAnswer":
        """Return the message as it is shown."""
        return cls(
            message_id=message.message_id, role=message.role, text=message.text, created_at=message.created_at,
            turn_id=message.turn_id, source=message.source, client_id=message.client_id,
            file_names=list(message.file_names),
        )  # fmt: skip


class HistoryAnswer(BaseModel):
    """A page of the conversation."""

    messages: list[MessageAnswer] = Field(description="Oldest first.")
    has_more: bool = Field(description="Whether there are older ones.")
    turn_open: bool = Field(description="Whether an answer is being worked on.")


def routes(rest: Rest) -> APIRouter:
    """Return the /v1 routes."""
    router = APIRouter(prefix="/v1", tags=["chat"])

    @router.post(
        "/session", responses=problems.documented(403, 413, 422, 429, 504), dependencies=[Depends(rest.limited)]
    )
    async def open_session(
        request: Request, response: Response, cookie: Annotated[str, Cookie(alias=COOKIE)] = ""
    ) -> SessionAnswer:
        """Return a token for the guest of the cookie, or for a new guest."""
        peer = peer_of(request.scope)
        if not rest.surroundings.allows_origin(request.headers.get("origin", ""), peer):
            raise Refused(Reason.ORIGIN)
        opened = rest.sessions.open(cookie)
        response.set_cookie(
            COOKIE, opened.cookie, max_age=int(COOKIE_LIFETIME.total_seconds()), path=COOKIE_PATH, httponly=True,
            samesite="lax", secure=rest.surroundings.is_https(peer),
        )  # fmt: skip
        session = opened.session
        return SessionAnswer(
            guest_id=session.guest_id, token=opened.token, expires_at=session.expires_at, is_new=opened.is_new
        )

    @router.get(
        "/messages", responses=problems.documented(401, 413, 422, 429, 503, 504), dependencies=[Depends(rest.limited)]
    )
    async def list_messages(
        session: Annotated[Session, Depends(rest.acting)],
        before: Annotated[UUID | None, Query(description="Only messages before this one.")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    ) -> HistoryAnswer:
        """Return the newest messages, or those before one of them."""
        before_id = str(before) if before else ""
        history = await rest.conversations.history(session.guest_id, before_id, limit, rest.timeout_seconds)
        return HistoryAnswer(
            messages=[MessageAnswer.of(message) for message in history.messages],
            has_more=history.has_more,
            turn_open=history.turn_open,
        )

    @router.post("/messages", status_code=202, responses=problems.documented(401, 413, 422, 429, 503, 504))
    async def send_message(
        request: Request, session: Annotated[Session, Depends(rest.acting)], new: NewMessage
    ) -> AcceptedAnswer:
        """Send a message; accepted means stored, and answered soon."""
        locale = preferred_language(request.headers.get("accept-language", ""))
        message = OutgoingMessage(str(new.id), check_text(new.text), locale)
        await rest.send_message(session.guest_id, message, rest.address_of(request))
        return AcceptedAnswer(id=new.id)

    return router


def create_app(rest: Rest, others: list[BaseRoute], version: str) -> FastAPI:
    """Return the framework's app: the routes above, then `others`."""
    app = FastAPI(
        title="Coach", version=version, docs_url=None, redoc_url=None, redirect_slashes=False,
        description="What the web page of the coaching platform talks to. The chat socket is at /v1/chat.",
        # Its own spans would carry addresses and queries as they came.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )  # fmt: skip
    app.include_router(routes(rest))
    app.include_router(check_ins.routes(rest))
    app.router.routes.extend(others)
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


def _answer(members: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        members, members["status"], problems.headers_of(members) | (headers or {}), media_type=problems.MEDIA_TYPE
    )


async def _on_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101  # registered for this class
    return _answer(problems.body_of_refusal(error))


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this class
    members = problems.body_of(Reason.INVALID)
    # Places and rules alone: pydantic's own error also quotes the input.
    places = {tuple(str(part) for part in item["loc"]) for item in error.errors()}
    wrong = sorted(".".join(place) for place in places)
    fields = {place[1] for place in places if place[0] == "body" and len(place) > 1}
    field = {"field": fields.pop()} if len(fields) == 1 else {}
    return _answer(members | {"detail": f"Correct {', '.join(wrong)}. {members['detail']}"} | field)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class
    if error.status_code == 413:
        return _answer(problems.body_of(Reason.TOO_LARGE))
    if error.status_code == 400:  # how the framework calls a body that is not even text
        return _answer(problems.body_of(Reason.INVALID))
    status, headers = error.status_code, dict(error.headers or {})
    if status in (404, 405):
        # The router names the methods of one route alone, and the page's catch-all hides those of the others.
        operations = _operations_at(request.app, request.url.path)
        status = 405 if operations else status
        headers = {"Allow": ", ".join(sorted(map(str.upper, operations)) or PAGE_METHODS)} if status == 405 else {}
    detail = ADVICE_BY_STATUS.get(status, "See /openapi.json for what is expected.")
    return _answer(problems.plain_problem(status, detail), headers)


def _operations_at(app: FastAPI, path: str) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    found = (operations for template, operations in paths.items() if compile_path(template)[0].match(path))
    return next(found, {})
