"""HTTP to the Bot API, and what each way of failing means there.

The token is part of every address: no request, response or exception of the HTTP library leaves this module.
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import aiohttp
from pydantic import SecretStr, ValidationError

from channel_adapter.channels.telegram.payloads import Response
from channel_adapter.domain.delivery import Problem, ProviderError
from channel_adapter.domain.messages import FileRefusal, FileRefusedError
from kit.proxy import environment_proxy

# With these no byte of the request was written to Telegram.
NOTHING_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
CONNECT_SECONDS = 5.0
# Idle connections are dropped before Telegram's side does it (75 s): a request on a closing one would be "unknown".
KEEP_IDLE_SECONDS = 20.0
CHUNK_BYTES = 65536
BLOCKED_WORDS = ("blocked by the user", "user is deactivated", "kicked")

Value = str | int | bool | list[str]


class ChatMovedError(Exception):
    """The group became a supergroup with another id; nothing was sent."""

    def __init__(self, chat_id: int) -> None:
        super().__init__("moved")
        self.chat_id = chat_id


class TooBigError(Exception):
    """getFile refuses files over 20 MB."""


def http_client(api_url: str = "https://api.telegram.org") -> aiohttp.ClientSession:
    """Return the connection pool that all bots of a process share; call it inside the running event loop."""
    connector = aiohttp.TCPConnector(limit=256, keepalive_timeout=KEEP_IDLE_SECONDS)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), proxy=environment_proxy(api_url)
    )


class BotApi:
    """The methods of one bot."""

    def __init__(self, client: aiohttp.ClientSession, api_url: str, token: SecretStr, timeout_seconds: float) -> None:
        self._client = client
        self._base = api_url.rstrip("/")
        self._token = token
        self._timeout_seconds = timeout_seconds

    def __repr__(self) -> str:
        return "BotApi()"

    async def call(self, method: str, params: Mapping[str, Value], extra_seconds: float = 0.0) -> object:
        """Return a method's result; raises ProviderError, ChatMovedError, TooBigError."""
        url = f"{self._base}/bot{self._token.get_secret_value()}/{method}"
        try:
            async with self._client.post(
                url, json=params, timeout=self._timeout(extra_seconds), allow_redirects=False
            ) as response:
                return _result(response.status, await response.read())
        except NOTHING_SENT:
            raise ProviderError(Problem.UNREACHABLE) from None
        except (aiohttp.ClientError, TimeoutError):
            raise ProviderError(Problem.ANSWER_LOST) from None

    async def fetch(self, path: str, limit_bytes: int) -> bytes:
        """Return a file's content; raises ProviderError, or FileRefusedError when it is longer than the limit."""
        url = f"{self._base}/file/bot{self._token.get_secret_value()}/{quote(path)}"
        content = bytearray()
        try:
            async with self._client.get(url, timeout=self._timeout(), allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    raise FileRefusedError(FileRefusal.UNAVAILABLE)
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    content += chunk
                    if len(content) > limit_bytes:
                        raise FileRefusedError(FileRefusal.TOO_LARGE)
        except (aiohttp.ClientError, TimeoutError):
            raise ProviderError(Problem.UNREACHABLE) from None
        return bytes(content)

    def _timeout(self, extra_seconds: float = 0.0) -> aiohttp.ClientTimeout:
        answer = self._timeout_seconds + extra_seconds
        return aiohttp.ClientTimeout(total=answer + CONNECT_SECONDS, connect=CONNECT_SECONDS, sock_read=answer)


def _result(status: int, content: bytes) -> object:
    try:
        answer = Response.model_validate_json(content)
    except ValidationError:
        raise ProviderError(_problem_without_envelope(status)) from None
    if answer.ok:
        return answer.result
    if answer.parameters.migrate_to_chat_id is not None:
        raise ChatMovedError(answer.parameters.migrate_to_chat_id)
    text = answer.description.lower()
    if "file is too big" in text:
        raise TooBigError
    raise ProviderError(problem_of(answer.error_code or status, text), float(answer.parameters.retry_after))


def _problem_without_envelope(status: int) -> Problem:
    """Something before the Bot API answered: a proxy, a portal, a balancer."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Problem.RATE_LIMITED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem.PROVIDER_FAILED
    return Problem.ANSWER_LOST if status < HTTPStatus.MULTIPLE_CHOICES else Problem.UNREACHABLE


def problem_of(code: int, text: str) -> Problem:
    """Return what an error code of the Bot API means; `text` is its description in lower case.

    5xx: people report messages that arrived although the answer was an error (the front gave up waiting for the API
    server), so nothing can be concluded from it and the message is not sent again.
    """
    match code:
        case 429:
            return Problem.RATE_LIMITED
        case 401 | 404:  # 404 is the answer to a token that no bot has, or ever had
            return Problem.CREDENTIALS_REFUSED
        case 409:
            return Problem.CONFLICT
        case 403:
            gone = any(word in text for word in BLOCKED_WORDS)
            # "bots can't initiate conversation" and the like are no decision of the person: no opt-out.
            return Problem.RECIPIENT_GONE if gone else Problem.RECIPIENT_UNKNOWN
        case 400 if "chat not found" in text or "peer_id_invalid" in text:
            return Problem.RECIPIENT_UNKNOWN
    return Problem.PROVIDER_FAILED if code >= HTTPStatus.INTERNAL_SERVER_ERROR else Problem.REJECTED
