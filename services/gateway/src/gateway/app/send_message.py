"""Take a guest's message in: it is accepted only once the stream has stored it."""

import json
from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from gateway.app.limits import Limits
from gateway.app.ports import Inbound
from gateway.domain.conversation import WEB_ACCOUNT, WEB_CHANNEL, OutgoingMessage
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer, RawRequest
from kit.tracing import span

JSON_HEADERS = (("content-type", "application/json"),)


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Sending the same client id again is safe: coaching takes each (guest, id) in once."""

    inbound: Inbound
    limits: Limits
    timeout_seconds: float

    async def __call__(self, guest_id: GuestId, message: OutgoingMessage, address_subject: str) -> None:
        """Return when the message is stored; raises Refused with what the person can do."""
        await self.limits.check_message(guest_id, address_subject)
        body = {"id": message.client_id, "text": message.text, "locale": message.locale}
        request = RawRequest(
            channel=WEB_CHANNEL,
            account=WEB_ACCOUNT,
            method="POST",
            headers=JSON_HEADERS,
            query="",
            body=json.dumps(body, ensure_ascii=False).encode(),
            authenticated_subject=guest_id,
        )
        with span("web_message", SpanKind.SERVER):
            answer = await self.inbound.receive(request, self.timeout_seconds)
        refuse_unless_stored(answer)


def refuse_unless_stored(answer: Answer) -> None:
    """Raise Refused for every answer but success."""
    if answer.status in (200, 202):
        return
    if answer.status == 429:
        raise Refused(Reason.RATE_LIMITED, answer.retry_after_seconds or 1)
    if 400 <= answer.status < 500:
        raise Refused(Reason.REFUSED)
    raise Refused(Reason.UNAVAILABLE, answer.retry_after_seconds or 2)
