"""A provider's request as the gateway passes it on, and the bounds that it checks itself."""

import re
from dataclasses import dataclass

# A channel and an account become tokens of a NATS subject: no dots, spaces or wildcards.
CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,31}")
ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")

METHODS = ("GET", "POST")
MAX_HEADERS = 64
MAX_HEADER_BYTES = 16_384  # names and values together; nginx and most providers stay below 8 KiB
MAX_QUERY_BYTES = 8_192
# The page's cookie opens a guest's conversation and is no business of a channel.
WITHHELD_HEADERS = frozenset({b"cookie"})


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request, unchanged; signatures are over these very bytes."""

    channel: str
    account: str
    method: str
    headers: tuple[tuple[str, str], ...]
    query: str
    body: bytes
    authenticated_subject: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the channel's handler wants the provider to get."""

    status: int
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b""
    retry_after_seconds: int = 0


def are_names(channel: str, account: str) -> bool:
    """Whether these can be a channel and its account; only the channel adapter knows whether they are."""
    return CHANNEL.fullmatch(channel) is not None and ACCOUNT.fullmatch(account) is not None


def headers_fit(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the headers stay within the bounds; none is dropped silently, it might be the signature."""
    return len(headers) <= MAX_HEADERS and sum(len(n) + len(v) for n, v in headers) <= MAX_HEADER_BYTES


def readable_headers(headers: list[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Return headers as text, names in lower case, every byte kept (RFC 9110, 5.5: latin-1), without our cookie."""
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in headers
        if name.lower() not in WITHHELD_HEADERS
    )
