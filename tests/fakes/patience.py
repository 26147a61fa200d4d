"""A client that asks again only when it may: what a browser, a proxy or a provider does while a platform is replaced.

Each try is a connection of its own, so that it goes where the platform sends it now. Only the standard library is used.
"""

import asyncio
import http.client
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

TRIES = 3
WITHIN_SECONDS = 30.0
# Before the second try and the third, unless Retry-After asks for more: a short stop, then nearly all the time left.
# Kubernetes takes 20 to 25 s until it sends nobody to a node that is lost.
PAUSES_SECONDS = (2.0, 23.0)
End = Literal["answered", "busy", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Try:
    """How one try ended. `busy`: 503 with Retry-After; `refused`: no connection; only after these one may ask again."""

    end: End
    detail: str
    status: int = 0
    retry_after: float = 0.0
    body: bytes = b""


@dataclass(slots=True)
class Fate:
    """What became of one request: how each try ended, and the seconds from the first to the last."""

    what: str
    at: float
    tries: list[str] = field(default_factory=list)
    seconds: float = 0.0
    succeeded: bool = False
    body: bytes = b""

    def told(self) -> dict[str, Any]:
        """Return it for a report, without the body."""
        return {name: value for name, value in asdict(self).items() if name != "body"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be repeated: it carries an id of its own."""

    what: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def one_try(base: str, request: Request, seconds: float) -> Try:
    """Ask once; blocks for so long at most."""
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=max(0.1, seconds))
    headers = {"Connection": "close", "Content-Type": "application/json", **request.headers}
    try:
        connection.connect()
    except ConnectionRefusedError:
        return Try("refused", "refused")
    except OSError as error:
        return Try("failed", f"no connection: {type(error).__name__} {error.errno}")
    try:
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return Try("failed", f"broken off: {type(error).__name__}")
    finally:
        connection.close()
    return judged(answer.status, answer.headers.get("Retry-After"), body)


def judged(status: int, retry_after: str | None, body: bytes) -> Try:
    """Return what an answer means to who asked."""
    if 200 <= status < 300:
        return Try("answered", str(status), status, body=body)
    if status == 503 and retry_after is not None and retry_after.isdecimal():
        return Try("busy", f"503 after {retry_after}", status, float(retry_after))
    return Try("failed", str(status), status, body=body)


async def patiently(base: str, request: Request) -> Fate:
    """Ask up to three times within half a minute; after anything but `busy` and `refused` it is over at once."""
    begun = time.monotonic()
    fate = Fate(request.what, time.time())
    for pause in (*PAUSES_SECONDS, None):
        left = WITHIN_SECONDS - (time.monotonic() - begun)
        ended = await asyncio.to_thread(one_try, base, request, left)
        fate.tries.append(ended.detail)
        fate.seconds = round(time.monotonic() - begun, 3)
        if ended.end in ("answered", "failed") or pause is None:
            fate.succeeded, fate.body = ended.end == "answered", ended.body
            break
        await asyncio.sleep(max(pause, ended.retry_after))
    return fate
