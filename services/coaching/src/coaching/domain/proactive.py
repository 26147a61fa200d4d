"""May the coach write first, now? One pure function, asked last on every path; it fails closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coaching.domain.deliveries import Decision, Drop, Hold, Send

ASK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the person and the channel at the moment of sending."""

    stopped: bool
    crisis_hold: bool
    channel_gone: bool  # the person left the channel itself
    time_zone: str | None


def decide(now: datetime, standing: Standing) -> Decision:
    """Return whether a proactive message may leave; where the person's local time is unknown it waits."""
    if standing.stopped:
        return Drop("stopped")
    if standing.crisis_hold:
        return Drop("crisis_hold")
    if standing.channel_gone:
        return Drop("recipient_gone")
    if not _known_zone(standing.time_zone):
        return Hold(now + ASK_AGAIN, "zone_unknown")
    return Send()


def _known_zone(name: str | None) -> bool:
    if not name:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
