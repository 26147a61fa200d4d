"""The gRPC service: checks what comes in, calls the use case, puts its answer into messages."""

from collections.abc import AsyncIterator
from datetime import UTC

import grpc

from coaching.app.claim_delivery import ClaimDelivery, Decided
from coaching.app.list_messages import ListMessages
from coaching.app.list_people import ListPeople
from coaching.app.ports import StoreUnavailableError
from coaching.app.report_delivery import ReportDelivery
from coaching.app.stream_texts import StreamTexts
from coaching.domain.deliveries import Drop, Hold, Report, Send, State
from coaching.domain.messages import ListedMessage, ListedPerson, MemoryText
from coaching.entrypoints.check_in_requests import is_id
from coaching.entrypoints.grpc_check_ins import CheckInCalls, SpeakingFirst
from coaching.entrypoints.grpc_edge import Context, check, maybe_stamp, stamp, stored
from contracts.coaching.v1 import coaching_pb2 as pb
from kit.faultpoints import reached

MAX_LIST = 256
_STATES = {
    pb.DELIVERY_STATE_PLANNED: State.PLANNED,
    pb.DELIVERY_STATE_IN_FLIGHT: State.IN_FLIGHT,
    pb.DELIVERY_STATE_ACCEPTED: State.ACCEPTED,
    pb.DELIVERY_STATE_FAILED: State.FAILED,
    pb.DELIVERY_STATE_UNKNOWN: State.UNKNOWN,
}


class CoachingService(SpeakingFirst):
    """Coaching, as other services call it."""

    def __init__(
        self,
        claim: ClaimDelivery,
        report: ReportDelivery,
        messages: ListMessages,
        people: ListPeople,
        texts: StreamTexts,
        speaking_first: CheckInCalls,
    ) -> None:
        super().__init__(speaking_first)
        self._claim = claim
        self._report = report
        self._messages = messages
        self._people = people
        self._texts = texts

    async def ClaimDelivery(self, request: pb.ClaimDeliveryRequest, context: Context) -> pb.ClaimDeliveryResponse:
        """Decide what becomes of each delivery."""
        keys = [(key.organization_id, key.delivery_id) for key in request.deliveries]
        await check(context, len(keys) <= MAX_LIST, "at most 256 deliveries")
        await check(context, all(is_id(part) for key in keys for part in key), "ids must be UUIDs")
        decided = await stored(context, self._claim(keys, request.owner[:128]))
        reached("before_claim_answer")
        return pb.ClaimDeliveryResponse(decisions=[_decision(item) for item in decided])

    async def ReportDelivery(self, request: pb.ReportDeliveryRequest, context: Context) -> pb.ReportDeliveryResponse:
        """Move deliveries forward."""
        reports = request.reports
        await check(context, len(reports) <= MAX_LIST, "at most 256 reports")
        ids = [part for item in reports for part in (item.organization_id, item.delivery_id)]
        await check(context, all(map(is_id, ids)), "ids must be UUIDs")
        await check(context, all(item.state in _STATES for item in reports), "a state that no sender reports")
        applied = await stored(context, self._report([(item.organization_id, _report(item)) for item in reports]))
        reached("before_report_answer")
        return pb.ReportDeliveryResponse(
            outcomes=[
                pb.ReportOutcome(delivery_id=item.delivery_id, applied=done)
                for item, done in zip(reports, applied, strict=True)
            ]
        )

    async def ListMessages(self, request: pb.ListMessagesRequest, context: Context) -> pb.ListMessagesResponse:
        """Return one conversation's messages, newest last."""
        before = request.before_message_id
        await check(context, is_id(request.organization_id), "organization_id must be a UUID")
        await check(context, not before or is_id(before), "before_message_id must be a UUID")
        place = (request.channel, request.account, request.sender_id)
        await check(context, all(0 < len(part) <= MAX_LIST * 2 for part in place), "channel, account and sender_id")
        page = await stored(context, self._messages(request.organization_id, place, before, request.limit))
        return pb.ListMessagesResponse(
            messages=[_message(item) for item in page.messages], has_more=page.has_more, turn_open=page.turn_open
        )

    async def ListPeople(self, request: pb.ListPeopleRequest, context: Context) -> pb.ListPeopleResponse:
        """Page through the people of an organisation."""
        after = request.after_person_id
        await check(context, is_id(request.organization_id), "organization_id must be a UUID")
        await check(context, not after or is_id(after), "after_person_id must be a UUID")
        people, more = await stored(context, self._people(request.organization_id, after, request.limit))
        return pb.ListPeopleResponse(people=[_person(item) for item in people], has_more=more)

    async def StreamTexts(
        self, request: pb.StreamTextsRequest, context: Context
    ) -> AsyncIterator[pb.StreamTextsResponse]:
        """Stream every text that the memory index should hold."""
        for value in (request.organization_id, request.person_id):
            await check(context, not value or is_id(value), "ids must be UUIDs or empty")
        try:
            async for texts in self._texts(request.organization_id, request.person_id):
                yield pb.StreamTextsResponse(texts=[_text(item) for item in texts])
        except StoreUnavailableError:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the database does not answer: try again")


def _decision(decided: Decided) -> pb.DeliveryDecision:
    match decided.decision:
        case Send():
            return pb.DeliveryDecision(
                delivery_id=decided.delivery_id,
                decision=pb.DECISION_SEND,
                fencing_token=decided.token,
                parts_accepted=decided.parts_accepted,
            )
        case Hold(until, reason):
            return pb.DeliveryDecision(
                delivery_id=decided.delivery_id,
                decision=pb.DECISION_HOLD,
                hold_until=stamp(until),
                reason=reason,
            )
        case Drop(reason):
            return pb.DeliveryDecision(delivery_id=decided.delivery_id, decision=pb.DECISION_DROP, reason=reason)


def _report(item: pb.DeliveryReport) -> Report:
    return Report(
        delivery_id=item.delivery_id,
        token=item.fencing_token,
        state=_STATES[item.state],
        provider_message_id=item.provider_message_id[:512],
        reason=item.reason[:64],
        not_before=item.not_before.ToDatetime(tzinfo=UTC) if item.HasField("not_before") else None,
        parts_accepted=item.parts_accepted,
        recipient_gone=item.recipient_gone,
    )


def _message(item: ListedMessage) -> pb.ChatMessage:
    return pb.ChatMessage(
        message_id=item.message_id,
        role=pb.ROLE_PERSON if item.by_person else pb.ROLE_COACH,
        text=item.text,
        created_at=stamp(item.created_at),
        turn_id=item.turn_id,
        source=item.source,
        file_names=item.file_names,
        client_message_id=item.event_id,
    )


def _person(item: ListedPerson) -> pb.Person:
    return pb.Person(
        person_id=item.person_id,
        created_at=stamp(item.created_at),
        last_message_at=maybe_stamp(item.last_message_at),
        channels=item.channels,
        proactive_stopped=item.proactive_stopped,
        crisis_hold=item.crisis_hold,
        messages=item.messages,
    )


def _text(item: MemoryText) -> pb.MemoryText:
    return pb.MemoryText(
        organization_id=item.organization_id,
        person_id=item.person_id,
        text_id=item.text_id,
        text=item.text,
        created_at=stamp(item.created_at),
        role=pb.ROLE_PERSON if item.by_person else pb.ROLE_COACH,
    )
