"""The channel adapter and coaching as the gateway sees them: real gRPC servers over the fakes in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc

from contracts.channels.v1.channels_pb2 import (
    ReceiveManyRequest,
    ReceiveManyResponse,
    ReceiveRequest,
    ReceiveResponse,
)
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterServicer, add_ChannelAdapterServicer_to_server
from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1.coaching_pb2 import (
    ROLE_COACH,
    ROLE_PERSON,
    ChatMessage,
    ListMessagesRequest,
    ListMessagesResponse,
)  # fmt: skip
from contracts.coaching.v1.coaching_pb2_grpc import CoachingServicer, add_CoachingServicer_to_server
from fakes.gateway import FakeConversations, FakeInbound
from fakes.gateway_check_ins import FakeCheckIns
from gateway.domain.check_ins import CheckIn, NewCheckIn, QuietHours
from gateway.domain.conversation import Role, StoredMessage
from gateway.domain.refusals import Reason, Refused
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import RawRequest
from kit.grpc_server import MAX_MESSAGE_BYTES

CODES = {
    Reason.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.TIMED_OUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.NOT_POSSIBLE: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Reason.NOT_KNOWN_YET: grpc.StatusCode.NOT_FOUND,
    Reason.TOO_MANY: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
ALONE = "alone=1"  # a request with this query brings files
LONG_SECONDS = 3_600.0  # the gateway's deadline decides, not the fake's


class _Adapter(ChannelAdapterServicer):
    def __init__(self, peers: "Peers") -> None:
        self._peers = peers

    async def Receive(self, request: ReceiveRequest, context: Any) -> ReceiveResponse:  # noqa: N802  # the protocol's name
        self._peers.single += 1
        return await self._answer(request, context)

    async def ReceiveMany(self, request: ReceiveManyRequest, context: Any) -> ReceiveManyResponse:  # noqa: N802  # the protocol's name
        if self._peers.old:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        self._peers.lists.append(len(request.requests))
        self._peers.list_bytes.append(request.ByteSize())
        return ReceiveManyResponse(
            responses=await asyncio.gather(*(self._one(one, context) for one in request.requests))
        )

    async def _one(self, request: ReceiveRequest, context: Any) -> ReceiveResponse:
        return ReceiveResponse(alone=True) if request.query == ALONE else await self._answer(request, context)

    async def _answer(self, request: ReceiveRequest, context: Any) -> ReceiveResponse:
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
            answer = await self._peers.inbound.receive(raw, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        return ReceiveResponse(
            status=answer.status,
            content_type=answer.content_type,
            body=answer.body,
            retry_after_seconds=answer.retry_after_seconds,
        )


class _Coaching(CoachingServicer):
    def __init__(self, conversations: FakeConversations, check_ins: FakeCheckIns) -> None:
        self._conversations = conversations
        self._check_ins = check_ins

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

    async def ListCheckIns(self, request: pb.ListCheckInsRequest, context: Any) -> pb.ListCheckInsResponse:  # noqa: N802  # the protocol's name
        guest = GuestId(request.person.sender_id)
        try:
            found = await self._check_ins.schedule(guest, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        if found.quiet_hours is None:
            await _abort(context, Refused(Reason.NOT_KNOWN_YET))
        return pb.ListCheckInsResponse(
            check_ins=[_wire_check_in(check_in) for check_in in found.check_ins],
            time_zone=found.time_zone,
            quiet_hours=pb.QuietHours(start=found.quiet_hours.start, end=found.quiet_hours.end),
            proactive_stopped=found.stopped,
        )

    async def AddCheckIn(self, request: pb.AddCheckInRequest, context: Any) -> pb.AddCheckInResponse:  # noqa: N802  # the protocol's name
        guest = GuestId(request.person.sender_id)
        new = NewCheckIn(request.request_id, request.rule, request.local_time, request.time_zone)
        try:
            added = await self._check_ins.add(guest, new, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        return pb.AddCheckInResponse(check_in=_wire_check_in(added.check_in), moved_check_ins=added.moved)

    async def PauseCheckIn(self, request: pb.PauseCheckInRequest, context: Any) -> pb.PauseCheckInResponse:  # noqa: N802  # the protocol's name
        guest = GuestId(request.person.sender_id)
        try:
            found = await self._check_ins.pause(guest, request.check_in_id, request.paused, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        return pb.PauseCheckInResponse(check_in=_wire_check_in(found))

    async def RemoveCheckIn(self, request: pb.RemoveCheckInRequest, context: Any) -> pb.RemoveCheckInResponse:  # noqa: N802  # the protocol's name
        try:
            await self._check_ins.remove(GuestId(request.person.sender_id), request.check_in_id, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        return pb.RemoveCheckInResponse()

    async def SetQuietHours(self, request: pb.SetQuietHoursRequest, context: Any) -> pb.SetQuietHoursResponse:  # noqa: N802  # the protocol's name
        guest = GuestId(request.person.sender_id)
        hours = QuietHours(request.quiet_hours.start, request.quiet_hours.end)
        try:
            held = await self._check_ins.set_quiet_hours(guest, hours, request.time_zone, LONG_SECONDS)
        except Refused as refused:
            await _abort(context, refused)
        return pb.SetQuietHoursResponse(
            time_zone=held.time_zone, quiet_hours=request.quiet_hours, moved_check_ins=held.moved
        )


def _wire_check_in(check_in: CheckIn) -> pb.CheckIn:
    found = pb.CheckIn(
        check_in_id=check_in.check_in_id, trigger=check_in.trigger, rule=check_in.rule, local_time=check_in.local_time,
        time_zone=check_in.time_zone, after_days=check_in.after_days, paused=check_in.paused,
    )  # fmt: skip
    found.created_at.FromDatetime(check_in.created_at)
    if check_in.next_due_at:
        found.next_due_at.FromDatetime(check_in.next_due_at)
    return found


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
    about = f"{refused.field}: " if refused.field else ""
    await context.abort(CODES[refused.reason], about + (refused.advice or "as the test asked"))
    raise AssertionError("abort raises")


@dataclass(slots=True)
class Peers:
    """Both peers on one port, and what they hold."""

    inbound: FakeInbound = field(default_factory=FakeInbound)
    conversations: FakeConversations = field(default_factory=FakeConversations)
    check_ins: FakeCheckIns = field(init=False)
    address: str = ""
    old: bool = False
    """Whether the adapter is one of before ReceiveMany."""
    single: int = 0
    lists: list[int] = field(default_factory=list)
    list_bytes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.check_ins = FakeCheckIns(self.conversations)


@asynccontextmanager
async def running_peers() -> AsyncIterator[Peers]:
    """Serve both on a free port of this machine."""
    peers = Peers()
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)])
    add_ChannelAdapterServicer_to_server(_Adapter(peers), server)
    add_CoachingServicer_to_server(_Coaching(peers.conversations, peers.check_ins), server)  # type: ignore[abstract]  # the gateway calls not all of its methods
    peers.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield peers
    finally:
        await server.stop(0)
