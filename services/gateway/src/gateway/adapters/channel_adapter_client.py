"""The channel adapter over gRPC."""

import grpc

from contracts.channels.v1.channels_pb2 import Header, ReceiveRequest
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterStub
from gateway.adapters.grpc_errors import refused_by
from gateway.domain.webhooks import Answer, RawRequest


class ChannelAdapterClient:
    """Implements Inbound."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = ChannelAdapterStub(channel)

    async def receive(self, request: RawRequest, timeout_seconds: float) -> Answer:
        """Pass a request on; the answer comes after the stream has stored what it holds."""
        message = ReceiveRequest(
            channel=request.channel,
            account=request.account,
            method=request.method,
            headers=[Header(name=name, value=value) for name, value in request.headers],
            query=request.query,
            body=request.body,
            authenticated_subject=request.authenticated_subject,
        )
        try:
            response = await self._stub.Receive(message, timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            raise refused_by("channel-adapter", error) from None
        return Answer(
            status=response.status,
            content_type=response.content_type,
            body=response.body,
            retry_after_seconds=response.retry_after_seconds,
        )
