"""Guests: people of the web channel, known by a signed cookie, acting with a short-lived token."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NewType
from uuid import UUID

GuestId = NewType("GuestId", str)

# Browsers keep a cookie for 400 days at most (RFC 6265bis, 5.5); every visit renews it.
COOKIE_LIFETIME = timedelta(days=400)
COOKIE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Session:
    """A guest who is acting, until `expires_at`."""

    guest_id: GuestId
    expires_at: datetime


def derive_key(secret: str, purpose: str) -> bytes:
    """Return the 64 byte key of one purpose, so that no value signed for one is ever valid for another."""
    return hmac.digest(secret.encode(), f"coach gateway {purpose}".encode(), hashlib.sha512)


def sign_cookie(guest_id: GuestId, now: datetime, key: bytes) -> str:
    """Return the cookie's value: version, guest id, time of issue, signature."""
    payload = f"{COOKIE_VERSION}.{guest_id}.{int(now.timestamp())}"
    return f"{payload}.{_signature(payload, key)}"


def read_cookie(value: str, now: datetime, key: bytes) -> GuestId | None:
    """Return the guest whose cookie this is; None for one that is forged, damaged, too old or of another version."""
    payload, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_signature(payload, key).encode(), signature.encode("utf-8", "replace")):
        return None
    version, guest, issued = payload.split(".")  # signed by us, so it has our shape
    if version != COOKIE_VERSION or now - datetime.fromtimestamp(int(issued), UTC) > COOKIE_LIFETIME:
        return None
    return GuestId(guest)


def is_guest_id(value: str) -> bool:
    """Whether a string is a guest id as we make them: a UUID in its usual lower-case form."""
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def _signature(payload: str, key: bytes) -> str:
    digest = hmac.digest(key, payload.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
