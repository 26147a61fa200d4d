"""The guest session of the terminal: the same guest every time, so that the conversation goes on."""

import json
import os
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

import httpx

COOKIE = "coach_guest"
CALL_SECONDS = 15.0


class ChatError(Exception):
    """The conversation cannot go on; the text says what failed and what to do."""


@dataclass(frozen=True, slots=True)
class Session:
    """A token for the socket and the history."""

    url: str
    guest_id: str
    token: str

    @property
    def socket_url(self) -> str:
        """Where the chat socket is."""
        return f"{self.url.replace('http', 'ws', 1)}/v1/chat"


class SessionFile:
    """The guest's cookie for each address, in one file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def cookie(self, url: str) -> str:
        """The cookie for an address, "" when there is none."""
        return self._read().get(url, "")

    def keep(self, url: str, cookie: str) -> None:
        """Remember the cookie; a folder that cannot be written only means that the next talk begins afresh."""
        known = self._read() | {url: cookie}
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:
            return
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(known, stream)

    def _read(self) -> dict[str, str]:
        try:
            record = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(url): str(cookie) for url, cookie in record.items()} if isinstance(record, dict) else {}


async def open_session(client: httpx.AsyncClient, url: str, file: SessionFile) -> Session:
    """Come back as the guest of the file, or as a new one. Raises ChatError."""
    known = file.cookie(url)
    headers = {"Cookie": f"{COOKIE}={known}"} if known else {}
    try:
        answer = await client.post(f"{url}/v1/session", headers=headers, timeout=CALL_SECONDS)
    except httpx.HTTPError as error:
        raise ChatError(
            f"No platform answers at {url} ({type(error).__name__}). Is it running? Try `platformctl status`."
        ) from None
    if answer.is_error:
        raise ChatError(f"{url} gave no session: {problem(answer)}")
    try:
        body = answer.json()
        session = Session(url, str(body["guest_id"]), str(body["token"]))
    except (ValueError, KeyError, TypeError):
        raise ChatError(f"What answers at {url} is not the gateway of a coaching platform.") from None
    for line in answer.headers.get_list("set-cookie"):
        if cookie := _cookie_in(line):
            file.keep(url, cookie)
    return session


def problem(answer: httpx.Response) -> str:
    """What a refusal says, in the gateway's own words where it has some."""
    try:
        body = answer.json()
        return f"{body['title']}. {body['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _cookie_in(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
