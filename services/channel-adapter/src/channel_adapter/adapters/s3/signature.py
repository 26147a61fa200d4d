"""Signature Version 4 of S3: who asks, and that nothing was changed on the way.

After docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, the payload in a single chunk, no query.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "s3"


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests are signed with; a token belongs to keys that are lent for a while."""

    key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed: the path as it is sent (percent-encoded once), headers by lower-case names, `host` among them."""

    method: str
    path: str
    headers: Mapping[str, str]
    payload_sha256: str


def signed(request: Request, keys: Keys, region: str, at: datetime) -> dict[str, str]:
    """Return the headers to send, those of the request among them; `at` is in UTC."""
    headers = {
        **request.headers, "x-amz-content-sha256": request.payload_sha256, "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}"
    }  # fmt: skip
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    scope = f"{at:%Y%m%d}/{region}/{SERVICE}/aws4_request"
    text = "\n".join((ALGORITHM, headers["x-amz-date"], scope, _sha256(_canonical(request, headers))))
    signature = hmac.new(_signing_key(keys.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={keys.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"{ALGORITHM} {credential}"}


def _canonical(request: Request, headers: Mapping[str, str]) -> str:
    lines = [f"{name}:{headers[name].strip()}" for name in sorted(headers)]
    query = ""
    return "\n".join(
        (request.method, request.path, query, *lines, "", ";".join(sorted(headers)), request.payload_sha256)
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _signing_key(secret: str, scope: str) -> bytes:
    """Date, region, service and the word that ends it, each the message to the key that the one before gave."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
