"""SCRAM-SHA-256 verifiers (RFC 5803), so that a role's password never travels in a statement."""

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096  # PostgreSQL's own default (scram_iterations)
SALT_BYTES = 16


def verifier(password: str, salt: bytes | None = None) -> str:
    """What `ALTER ROLE ... PASSWORD` takes in place of the password; the password must be ASCII (no SASLprep here)."""
    if not password.isascii():
        raise ValueError("a database password must be ASCII")
    salt = salt if salt is not None else os.urandom(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
