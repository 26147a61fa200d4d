"""The Coaching service over gRPC, as far as channel-adapter calls it: a thin cover over MemoryDeliveries."""

from typing import Any

import grpc

from channel_adapter.domain.delivery import Drop, Hold, Report, Send, State
from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1.coaching_pb2_grpc import CoachingServicer, add_CoachingServicer_to_server
from fakes.channel_ports import MemoryDeliveries

STATES = {
    pb.DELIVERY_STATE_PLANNED: State.PLANNED,
    pb.DELIVERY_STATE_IN_FLIGHT: State.IN_FLIGHT,
    pb.DELIVERY_STATE_ACCEPTED: State.ACCEPTED,
    pb.DELIVERY_STATE_FAILED: State.FAILED,
    pb.DELIVERY_STATE_UNKNOWN: State.UNKNOWN,
}


class FakeCoaching(CoachingServicer):
    """Serves `deliveries` on a free port of this machine."""

    def __init__(self) -> None:
        self.deliveries = MemoryDeliveries()
        self._server = grpc.aio.server()
        self.address = ""
        add_CoachingServicer_to_server(self, self._server)

    async def __aenter__(self) -> "FakeCoaching":
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)

    async def ClaimDelivery(  # noqa: N802  # the contract names it
        self, request: pb.ClaimDeliveryRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ClaimDeliveryResponse:
        await self._refuse_when_away(context)
        self.deliveries.claims.append(len(request.deliveries))
        return pb.ClaimDeliveryResponse(decisions=[self._decide(key.delivery_id) for key in request.deliveries])

    def _decide(self, delivery_id: str) -> pb.DeliveryDecision:
        answer = pb.DeliveryDecision(delivery_id=delivery_id)
        match self.deliveries.claim_one(delivery_id):
            case Send(token=token, parts_accepted=parts):
                answer.decision = pb.DECISION_SEND
                answer.fencing_token, answer.parts_accepted = token, parts
            case Hold(until=until):
                answer.decision = pb.DECISION_HOLD
                answer.hold_until.FromDatetime(until)
            case Drop():
                answer.decision = pb.DECISION_DROP
        return answer

    async def ReportDelivery(  # noqa: N802  # the contract names it
        self, request: pb.ReportDeliveryRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ReportDeliveryResponse:
        await self._refuse_when_away(context)
        self.deliveries.reports.append(len(request.reports))
        return pb.ReportDeliveryResponse(
            outcomes=[
                pb.ReportOutcome(delivery_id=report.delivery_id, applied=self.deliveries.report_one(_report(report)))
                for report in request.reports
            ]
        )

    async def _refuse_when_away(self, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        if not self.deliveries.available:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")


def _report(report: pb.DeliveryReport) -> Report:
    return Report(
        organization_id=report.organization_id,
        delivery_id=report.delivery_id,
        token=report.fencing_token,
        state=STATES[report.state],
        provider_message_id=report.provider_message_id,
        reason=report.reason,
        parts_accepted=report.parts_accepted,
        recipient_gone=report.recipient_gone,
    )
