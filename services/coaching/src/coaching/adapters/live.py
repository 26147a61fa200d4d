"""Live events on core NATS: seen by pages that are connected now, lost for all others."""

from coaching.domain.inbound import Place
from contracts.events.v1 import events_pb2
from kit import log
from kit.consumer import UNAVAILABLE
from kit.jetstream import Bus

_log = log.get_logger("coaching.live")


class NatsLive:
    """Live on core NATS. A connection that is down costs the page its preview, never the turn."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def queued(self, place: Place, turn_id: str, ahead: int) -> None:
        """Tell that `ahead` others are answered first."""
        await self._send(place, events_pb2.LiveEvent(turn_id=turn_id, status=_status("queued", ahead)))

    async def thinking(self, place: Place, turn_id: str) -> None:
        """Tell that the turn has begun."""
        await self._send(place, events_pb2.LiveEvent(turn_id=turn_id, status=_status("thinking", 0)))

    async def delta(self, place: Place, turn_id: str, text: str, index: int) -> None:
        """Show the next sentence; texts in the order of their index make the reply."""
        await self._send(
            place, events_pb2.LiveEvent(turn_id=turn_id, delta=events_pb2.TextDelta(text=text, index=index))
        )

    async def _send(self, place: Place, event: events_pb2.LiveEvent) -> None:
        try:
            await self._bus.send(subject(place), event.SerializeToString())
        except UNAVAILABLE as error:
            _log.warning("live_event_lost", exc_info=error)


def subject(place: Place) -> str:
    """Return where a conversation's live events go; the address may hold anything, so it travels in hex."""
    return f"live.{place.channel}.{place.account}.{place.address.encode().hex()}"


def _status(state: str, ahead: int) -> events_pb2.TurnStatus:
    return events_pb2.TurnStatus(state=state, ahead=ahead)
