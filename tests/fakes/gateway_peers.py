"""The channel adapter and coaching as the gateway sees them: real gRPC servers over the fakes in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc

from contracts.channels.v1.channels_pb2 import ReceiveRequest, ReceiveResponse
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterServicer, add_ChannelAdapterServicer_to_server
from contracts.coaching.v1.coaching_pb2 import (
    ROLE_COACH,
    ROLE_PERSON,
    ChatMessage,
    ListMessagesRequest,
    ListMessagesResponse,
)  # fmt: skip
from contracts.coaching.v1.coaching_pb2_grpc import CoachingServicer, add_CoachingServicer_to_server
from fakes.gateway import FakeConversations, FakeInbound
from gateway.domain.conversation import Role, StoredMessage
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import RawRequest

CODES = {
    Reason.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.TIMED_OUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
}
LONG_SECONDS = 3_600.0  # the gateway's deadline decides, not the fake's


class _Adapter(ChannelAdapterServicer):
    def __init__(self, inbound: FakeInbound) -> None:
        self._inbound = inbound

    async def Receive(self, request: ReceiveRequest, context: Any) -> ReceiveResponse:  # noqa: N802  # the protocol's name
        raw = RawRequest(
            channel=request.channel,
            account=request.account,
            method=request.method,
            headers=tuple((header.name, header.value) for header in request.headers),
            query=request.query,
            body=request.body,
            authenticated_subject=request.authenticated_subject,
        )
        try:
            answer = await self._inbound.receive(raw, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        return ReceiveResponse(
            status=answer.status,
            content_type=answer.content_type,
            body=answer.body,
            retry_after_seconds=answer.retry_after_seconds,
        )


class _Coaching(CoachingServicer):
    def __init__(self, conversations: FakeConversations) -> None:
        self._conversations = conversations

    async def ListMessages(self, request: ListMessagesRequest, context: Any) -> ListMessagesResponse:  # noqa: N802  # the protocol's name
        guest = GuestId(request.sender_id)
        try:
            page = await self._conversations.history(
                guest, request.before_message_id, request.limit or 50, LONG_SECONDS
            )
        except Refused as refused:
            await _abort(context, refused)
        messages = [_wire(guest, message) for message in page.messages]
        return ListMessagesResponse(messages=messages, has_more=page.has_more, turn_open=page.turn_open)


def _wire(guest: GuestId, message: StoredMessage) -> ChatMessage:
    found = ChatMessage(
        message_id=message.message_id,
        role=ROLE_PERSON if message.role is Role.PERSON else ROLE_COACH,
        text=message.text,
        turn_id=message.turn_id,
        source=message.source,
        client_message_id=f"{guest}:{message.client_id}" if message.client_id else "",
        file_names=message.file_names,
    )
    found.created_at.FromDatetime(message.created_at)
    return found


async def _abort(context: Any, refused: Refused) -> NoReturn:
    await context.abort(CODES[refused.reason], "as the test asked")
    raise AssertionError("abort raises")


@dataclass(slots=True)
class Peers:
    """Both peers on one port, and what they hold."""

    inbound: FakeInbound = field(default_factory=FakeInbound)
    conversations: FakeConversations = field(default_factory=FakeConversations)
    address: str = ""


@asynccontextmanager
async def running_peers() -> AsyncIterator[Peers]:
    """Serve both on a free port of this machine."""
    peers = Peers()
    server = grpc.aio.server()
    add_ChannelAdapterServicer_to_server(_Adapter(peers.inbound), server)
    add_CoachingServicer_to_server(_Coaching(peers.conversations), server)  # type: ignore[abstract]  # the gateway calls one method of five
    peers.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield peers
    finally:
        await server.stop(0)
