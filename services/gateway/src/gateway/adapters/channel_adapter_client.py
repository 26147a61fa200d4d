"""The channel adapter over gRPC: requests that come while a call is under way go together in the next."""

import time
from collections.abc import Sequence

import grpc

from contracts.channels.v1.channels_pb2 import Header, ReceiveManyRequest, ReceiveRequest, ReceiveResponse
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterStub
from gateway.adapters.gathering import Bounds, Gathering
from gateway.adapters.grpc_errors import refusal, refused_by
from gateway.domain.refusals import Refused
from gateway.domain.webhooks import Answer, RawRequest
from kit.clock import Clock
from kit.tracing import current

PEER = "channel-adapter"
# A quarter of gRPC's 16 MiB: a list of large bodies takes long enough as it is. A webhook of up to 8 MiB goes alone.
BOUNDS = Bounds(items=256, size=4 * 1024 * 1024, patience_seconds=0.25)
# An adapter of before ReceiveMany is asked this long for single requests, and then again for lists.
SINGLY_SECONDS = 60.0
LEAST_SECONDS = 0.05


class ChannelAdapterClient:
    """Implements Inbound."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._stub = ChannelAdapterStub(channel)
        self._clock = clock
        self._gathering = Gathering(self._receive_many, BOUNDS)
        self._singly_until = 0.0

    async def receive(self, request: RawRequest, timeout_seconds: float) -> Answer:
        """Pass a request on; the answer comes after the stream has stored what it holds."""
        ends = time.monotonic() + timeout_seconds
        message = _wire(request)
        if self._clock.monotonic() < self._singly_until:
            return await self._receive(message, timeout_seconds)
        try:
            found = await self._gathering.ask(message, message.ByteSize(), timeout_seconds)
        except TimeoutError:
            raise refusal(PEER, grpc.StatusCode.DEADLINE_EXCEEDED) from None
        if isinstance(found, Refused):
            raise Refused(found.reason, found.retry_after)  # each caller raises its own
        if found is None or found.alone:
            return await self._receive(message, max(LEAST_SECONDS, ends - time.monotonic()))
        return _answer(found)

    async def _receive(self, message: ReceiveRequest, seconds: float) -> Answer:
        try:
            return _answer(await self._stub.Receive(message, timeout=seconds))
        except grpc.aio.AioRpcError as error:
            raise refused_by(PEER, error) from None

    async def _receive_many(
        self, messages: Sequence[ReceiveRequest], seconds: float
    ) -> Sequence[ReceiveResponse | Refused | None]:
        """Return a response for each, why there is none, or None where the adapter knows no lists."""
        try:
            found = await self._stub.ReceiveMany(ReceiveManyRequest(requests=messages), timeout=seconds)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                self._singly_until = self._clock.monotonic() + SINGLY_SECONDS
                return [None] * len(messages)
            return [refused_by(PEER, error)] * len(messages)
        return found.responses


def _wire(request: RawRequest) -> ReceiveRequest:
    return ReceiveRequest(
        channel=request.channel,
        account=request.account,
        method=request.method,
        headers=[Header(name=name, value=value) for name, value in request.headers],
        query=request.query,
        body=request.body,
        authenticated_subject=request.authenticated_subject,
        traceparent=current(),
    )


def _answer(response: ReceiveResponse) -> Answer:
    return Answer(
        status=response.status,
        content_type=response.content_type,
        body=response.body,
        retry_after_seconds=response.retry_after_seconds,
    )
