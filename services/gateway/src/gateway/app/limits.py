"""Apply the rate limits: per guest and per address."""

from dataclasses import dataclass

from gateway.app.metrics import RATE_LIMITED
from gateway.app.ports import RateLimiter
from gateway.domain.limits import Bucket, Budget
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId


@dataclass(frozen=True, slots=True)
class Limits:
    """Each check raises Refused(RATE_LIMITED) with the seconds to wait."""

    limiter: RateLimiter
    messages_per_guest: Budget
    requests_per_address: Budget

    async def check_request(self, address_subject: str) -> None:
        """Count one request, connection or message of an address."""
        await self._take([Bucket(self.requests_per_address, address_subject)])

    async def check_message(self, guest_id: GuestId, address_subject: str) -> None:
        """Count one message of a guest, and of the address that it came from."""
        await self._take([
            Bucket(self.messages_per_guest, guest_id), Bucket(self.requests_per_address, address_subject),
        ])  # fmt: skip

    async def _take(self, buckets: list[Bucket]) -> None:
        verdict = await self.limiter.take(buckets)
        if not verdict.allowed:
            RATE_LIMITED.labels(verdict.budget).inc()
            raise Refused(Reason.RATE_LIMITED, verdict.retry_after)
