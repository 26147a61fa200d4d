"""What every REST route stands on: who acts, and how often they may."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.app.limits import Limits
from gateway.app.ports import CheckIns, Conversations
from gateway.app.send_message import SendMessage
from gateway.app.sessions import Sessions
from gateway.domain.addresses import Surroundings, limit_subject
from gateway.domain.sessions import Session
from gateway.entrypoints.peers import peer_of

BEARER = HTTPBearer(auto_error=False, description="The token of POST /v1/session.")


@dataclass(frozen=True, slots=True)
class Rest:
    """What the routes work with."""

    sessions: Sessions
    conversations: Conversations
    check_ins: CheckIns
    send_message: SendMessage
    limits: Limits
    surroundings: Surroundings
    address_key: bytes
    timeout_seconds: float

    def address_of(self, request: Request) -> str:
        """Return what the sender's address is counted by."""
        return limit_subject(self.surroundings.client_address(peer_of(request.scope)), self.address_key)

    async def limited(self, request: Request) -> None:
        """Count a request of an address; raises Refused(RATE_LIMITED)."""
        await self.limits.check_request(self.address_of(request))

    async def acting(
        self, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> Session:  # fmt: skip
        """Return who acts; raises Refused(UNAUTHORIZED)."""
        return self.sessions.authenticate(credentials.credentials if credentials else "")
