"""Core NATS: live events of chats on channels that can show that the coach is writing."""

import binascii
from collections.abc import Iterable

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from channel_adapter.app.typing import ShowTyping
from contracts.events.v1 import events_pb2 as pb
from kit.jetstream import Bus

# One replica per event; without a group each would call the provider.
QUEUE_GROUP = "channel-adapter"
WRITING = "thinking"


class ListenLive:
    """While a turn is thought about, and with each sentence of it, the channel shows that the coach is writing."""

    def __init__(self, bus: Bus, typing: ShowTyping) -> None:
        self._bus = bus
        self._typing = typing

    async def start(self, channels: Iterable[str]) -> None:
        """Listen to the live events of these channels until the connection is closed."""
        for channel in channels:
            await self._bus.nc.subscribe(f"live.{channel}.>", queue=QUEUE_GROUP, cb=self._heard)

    async def _heard(self, message: Msg) -> None:
        try:
            event = pb.LiveEvent.FromString(message.data)
            _, channel, account, address = message.subject.split(".")
            chat = binascii.unhexlify(address).decode()
        except (DecodeError, ValueError):
            return  # may be lost, so may be strange
        writing = event.HasField("delta") or (event.HasField("status") and event.status.state == WRITING)
        if writing:
            self._typing.writing(channel, account, chat)
