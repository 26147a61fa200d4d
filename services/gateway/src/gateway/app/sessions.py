"""Open a guest's session, and recognise who acts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from gateway.app.ports import Tokens
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId, Session, read_cookie, sign_cookie
from kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, the token to act with, and the cookie by which the browser comes back as the same guest."""

    session: Session
    token: str
    cookie: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Sessions:
    """Guests come back by their cookie and act by their token."""

    clock: Clock
    tokens: Tokens
    cookie_key: bytes
    lifetime: timedelta
    new_guest_id: Callable[[], str]

    def open(self, cookie: str) -> Opened:
        """Return a session for the guest of this cookie, or for a new guest where it is none of ours."""
        now = self.clock.now()
        known = read_cookie(cookie, now, self.cookie_key)
        session = Session(known or GuestId(self.new_guest_id()), now + self.lifetime)
        return Opened(
            session=session,
            token=self.tokens.issue(session),
            cookie=sign_cookie(session.guest_id, now, self.cookie_key),
            is_new=known is None,
        )

    def authenticate(self, token: str) -> Session:
        """Return who acts; raises Refused(UNAUTHORIZED)."""
        session = self.tokens.read(token)
        if session is None:
            raise Refused(Reason.UNAUTHORIZED)
        return session
