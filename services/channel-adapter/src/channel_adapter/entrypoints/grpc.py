"""gRPC: the gateway brings raw requests."""

from typing import Any

import grpc

from channel_adapter.app.receive import ReceiveRequest
from channel_adapter.domain.messages import Answer, RawRequest
from contracts.channels.v1 import channels_pb2 as pb
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterServicer


class ReceiveServicer(ChannelAdapterServicer):
    """Translates; what is decided is decided in app/receive.py."""

    def __init__(self, receive: ReceiveRequest) -> None:
        self._receive = receive

    async def Receive(
        self, request: pb.ReceiveRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ReceiveResponse:
        """Return what the provider gets; 200 only after the stream has stored the events."""
        del context
        return _wire(await self._receive(_raw(request)))

    async def ReceiveMany(
        self, request: pb.ReceiveManyRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ReceiveManyResponse:
        """Return what each provider gets, in order, or that a request must be received alone."""
        del context
        answers = await self._receive.many([_raw(one, one.traceparent) for one in request.requests])
        return pb.ReceiveManyResponse(
            responses=[pb.ReceiveResponse(alone=True) if answer is None else _wire(answer) for answer in answers]
        )


def _raw(request: pb.ReceiveRequest, traceparent: str = "") -> RawRequest:
    return RawRequest(
        channel=request.channel,
        account=request.account,
        method=request.method,
        headers={header.name.lower(): header.value for header in request.headers},
        query=request.query,
        body=request.body,
        subject=request.authenticated_subject,
        traceparent=traceparent,
    )


def _wire(answer: Answer) -> pb.ReceiveResponse:
    return pb.ReceiveResponse(
        status=answer.status,
        content_type=answer.content_type,
        body=answer.body,
        events=answer.events,
        retry_after_seconds=answer.retry_after_seconds,
    )
