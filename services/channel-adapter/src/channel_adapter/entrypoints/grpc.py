"""gRPC: the gateway brings raw requests."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from channel_adapter.domain.messages import Answer, RawRequest
from contracts.channels.v1 import channels_pb2 as pb
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterServicer


class ReceiveServicer(ChannelAdapterServicer):
    """Translates; what is decided is decided in app/receive.py."""

    def __init__(self, receive: Callable[[RawRequest], Awaitable[Answer]]) -> None:
        self._receive = receive

    async def Receive(
        self, request: pb.ReceiveRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.ReceiveResponse:
        """Return what the provider gets; 200 only after the stream has stored the events."""
        del context
        answer = await self._receive(
            RawRequest(
                channel=request.channel,
                account=request.account,
                method=request.method,
                headers={header.name.lower(): header.value for header in request.headers},
                query=request.query,
                body=request.body,
                subject=request.authenticated_subject,
            )
        )
        return pb.ReceiveResponse(
            status=answer.status,
            content_type=answer.content_type,
            body=answer.body,
            events=answer.events,
            retry_after_seconds=answer.retry_after_seconds,
        )
