"""Coaching over gRPC: the history of a guest's conversation."""

from datetime import UTC

import grpc

from contracts.coaching.v1.coaching_pb2 import ROLE_PERSON, ChatMessage, ListMessagesRequest
from contracts.coaching.v1.coaching_pb2_grpc import CoachingStub
from gateway.adapters.grpc_errors import refused_by
from gateway.domain.conversation import WEB_ACCOUNT, WEB_CHANNEL, History, Role, StoredMessage
from gateway.domain.sessions import GuestId


class CoachingClient:
    """Implements Conversations for the guests of one organisation."""

    def __init__(self, channel: grpc.aio.Channel, organization_id: str) -> None:
        self._stub = CoachingStub(channel)
        self._organization_id = organization_id

    async def history(self, guest_id: GuestId, before: str, limit: int, timeout_seconds: float) -> History:
        """Return one page of the guest's conversation."""
        request = ListMessagesRequest(
            organization_id=self._organization_id,
            channel=WEB_CHANNEL,
            account=WEB_ACCOUNT,
            sender_id=guest_id,
            before_message_id=before,
            limit=limit,
        )
        try:
            response = await self._stub.ListMessages(request, timeout=timeout_seconds)
        except grpc.aio.AioRpcError as error:
            raise refused_by("coaching", error) from None
        messages = tuple(_message(message, guest_id) for message in response.messages)
        return History(messages, response.has_more, response.turn_open)


def _message(message: ChatMessage, guest_id: GuestId) -> StoredMessage:
    from_person = message.role == ROLE_PERSON
    return StoredMessage(
        message_id=message.message_id,
        role=Role.PERSON if from_person else Role.COACH,
        text=message.text,
        created_at=message.created_at.ToDatetime(UTC),
        turn_id=message.turn_id,
        source="" if from_person else message.source,
        # The web channel's event id is "<guest>:<client id>"; the page knows the second half.
        client_id=message.client_message_id.removeprefix(f"{guest_id}:") if from_person else "",
        file_names=tuple(message.file_names),
    )
