"""Times and tables as a person reads them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

GAP = "  "
DAYS = {"MO": "Mon", "TU": "Tue", "WE": "Wed", "TH": "Thu", "FR": "Fri", "SA": "Sat", "SU": "Sun"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines with columns as wide as they must be."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        GAP.join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    )


def local(stamp: Timestamp, zone_name: str) -> str:
    """A time on the wall clock of a zone: "Tue 24 Nov 2026 08:30"; in UTC, and saying so, where the zone is unknown."""
    at = stamp.ToDatetime(tzinfo=UTC)
    try:
        return f"{at.astimezone(ZoneInfo(zone_name)):%a %d %b %Y %H:%M}"
    except (KeyError, ValueError, OSError):
        return f"{at:%a %d %b %Y %H:%M} UTC"


def local_text(iso: str) -> str:
    """The same of a local time that was written with its offset."""
    return f"{datetime.fromisoformat(iso):%a %d %b %Y %H:%M}"


def maybe_local(message: Message, field: str, zone_name: str, otherwise: str = "-") -> str:
    """The time in a field that may be unset."""
    return local(getattr(message, field), zone_name) if message.HasField(field) else otherwise


def rule_words(rule: str) -> str:
    """A plain rule in words, any other as it is: "daily", "Mon, Wed"."""
    if rule == "FREQ=DAILY":
        return "daily"
    days = rule.removeprefix("FREQ=WEEKLY;BYDAY=").split(",")
    return ", ".join(DAYS[day] for day in days) if all(day in DAYS for day in days) else rule
