"""Read from an ASGI scope where a request came from."""

from collections.abc import Iterable

from starlette.types import Scope

from gateway.domain.addresses import Peer


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header's value, several joined by commas as RFC 9110, 5.3 allows; "" where it is missing."""
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)


def peer_of(scope: Scope) -> Peer:
    """Return the other side of a connection."""
    client = scope.get("client")
    headers = scope["headers"]
    return Peer(
        address=client[0] if client else "",
        scheme=scope.get("scheme", "http"),
        host=header(headers, b"host"),
        forwarded_for=header(headers, b"x-forwarded-for"),
        forwarded_proto=header(headers, b"x-forwarded-proto"),
    )
