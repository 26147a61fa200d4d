"""Coaching over gRPC: who decides about deliveries and keeps their states."""

from collections.abc import Sequence
from datetime import UTC

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from channel_adapter.app.ports import CoachingUnavailableError
from channel_adapter.domain.delivery import Decision, Drop, Hold, Outbound, Report, Send, State
from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1.coaching_pb2_grpc import CoachingStub
from kit import log

# Below the ack wait of OUTBOUND (30 s), since a batch that is being claimed shows no sign of life.
CALL_SECONDS = 10.0
STATES = {
    State.PLANNED: pb.DELIVERY_STATE_PLANNED,
    State.IN_FLIGHT: pb.DELIVERY_STATE_IN_FLIGHT,
    State.ACCEPTED: pb.DELIVERY_STATE_ACCEPTED,
    State.FAILED: pb.DELIVERY_STATE_FAILED,
    State.UNKNOWN: pb.DELIVERY_STATE_UNKNOWN,
}
# Asking again with the same words would get the same answer.
REFUSALS = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED})
_log = log.get_logger("channel_adapter.coaching")


class CoachingDeliveries:
    """The Coaching service, as far as deliveries go."""

    def __init__(self, channel: grpc.aio.Channel, owner: str) -> None:
        self._stub = CoachingStub(channel)
        self._owner = owner

    async def claim(self, messages: Sequence[Outbound]) -> list[Decision]:
        request = pb.ClaimDeliveryRequest(
            deliveries=[
                pb.DeliveryKey(organization_id=message.organization_id, delivery_id=message.delivery_id)
                for message in messages
            ],
            owner=self._owner,
        )
        try:
            response = await self._stub.ClaimDelivery(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            _log.warning("claim_failed", exc_info=error)
            raise CoachingUnavailableError from None
        answered = [decision.delivery_id for decision in response.decisions]
        if answered != [message.delivery_id for message in messages]:
            _log.error("claim_answer_does_not_match", asked=len(messages), answered=len(answered))
            raise CoachingUnavailableError
        return [_decision(decision) for decision in response.decisions]

    async def report(self, reports: Sequence[Report]) -> list[bool]:
        request = pb.ReportDeliveryRequest(reports=[_report(report) for report in reports])
        try:
            response = await self._stub.ReportDelivery(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            _log.warning("report_failed", reports=len(reports), exc_info=error)
            if error.code() in REFUSALS:
                return [False] * len(reports)
            raise CoachingUnavailableError from None
        applied = [outcome.applied for outcome in response.outcomes]
        if len(applied) != len(reports):
            _log.error("report_answer_does_not_match", asked=len(reports), answered=len(applied))
            return [False] * len(reports)
        return applied


def _decision(decision: pb.DeliveryDecision) -> Decision:
    if decision.decision == pb.DECISION_SEND:
        return Send(token=decision.fencing_token, parts_accepted=decision.parts_accepted)
    if decision.decision == pb.DECISION_HOLD:
        return Hold(until=decision.hold_until.ToDatetime(UTC))
    if decision.decision == pb.DECISION_DROP:
        return Drop()
    # A decision that this version does not know: nothing is sent on a guess.
    raise CoachingUnavailableError


def _report(report: Report) -> pb.DeliveryReport:
    message = pb.DeliveryReport(
        organization_id=report.organization_id,
        delivery_id=report.delivery_id,
        fencing_token=report.token,
        state=STATES[report.state],
        provider_message_id=report.provider_message_id,
        reason=report.reason,
        parts_accepted=report.parts_accepted,
        recipient_gone=report.recipient_gone,
    )
    if report.not_before is not None:
        stamp = Timestamp()
        stamp.FromDatetime(report.not_before)
        message.not_before.CopyFrom(stamp)
    return message
