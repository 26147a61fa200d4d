"""What is told about a nudge to whoever asks why it came, or did not. No word of a person is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from coaching.domain.check_ins import Nudge, NudgeState


@dataclass(frozen=True, slots=True)
class ToldNudge:
    """A nudge, what became of it, and of its delivery where there is one."""

    nudge: Nudge
    state: NudgeState
    reason: str = ""  # of the last decision
    merged_into: str = ""  # the nudge that spoke for this one too
    delivery_id: str = ""
    delivery_state: str = ""
    channel: str = ""
    source: str = ""  # model or template, of what was sent
    why: Mapping[str, str] = field(default_factory=dict)  # the check-in as it was


@dataclass(frozen=True, slots=True)
class ToldDecision:
    """One decision about a nudge."""

    at: datetime
    asked_by: str  # schedule or claim
    verdict: str  # send, hold or drop
    reason: str = ""
    until: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
