"""Session tokens as JWT (RFC 7519), signed with a key of their own."""

from dataclasses import dataclass
from datetime import UTC, datetime

import jwt

from gateway.domain.sessions import GuestId, Session, is_guest_id
from kit.clock import Clock

AUDIENCE = "coach-web"
ISSUER = "coach-gateway"


@dataclass(frozen=True, slots=True)
class JwtTokens:
    """HMAC-signed: only the gateway reads what only the gateway wrote."""

    key: bytes
    algorithm: str
    clock: Clock

    def issue(self, session: Session) -> str:
        """Return the token of a session."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": session.guest_id,
            "iat": int(self.clock.now().timestamp()),
            "exp": int(session.expires_at.timestamp()),
        }
        return jwt.encode(claims, self.key, algorithm=self.algorithm)

    def read(self, token: str) -> Session | None:
        """Return the session of a token; None for one that is forged, damaged or expired."""
        try:
            # The expiry is compared below, with the clock that was passed in.
            claims = jwt.decode(
                token, self.key, algorithms=[self.algorithm], audience=AUDIENCE, issuer=ISSUER,
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
            session = Session(GuestId(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC))
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError):
            return None
        return session if session.expires_at > self.clock.now() and is_guest_id(session.guest_id) else None
