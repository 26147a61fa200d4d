"""The answer to "why did I get this?": from what was kept about a nudge, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from coaching.domain.people import Language
from coaching.domain.quiet_hours import zone_of

_MONTHS = {
    Language.ENGLISH: (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    Language.GERMAN: (
        "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
        "Dezember",
    ),
}  # fmt: skip
_DATE = {Language.ENGLISH: "{day} {month} at {time}", Language.GERMAN: "{day}. {month} um {time}"}
_WORLD_TIME = {Language.ENGLISH: " (UTC)", Language.GERMAN: " (UTC)"}
_DUE = {
    Language.ENGLISH: "The last time I wrote first was for {due}. {because}",
    Language.GERMAN: "Zuletzt habe ich von mir aus für den {due} geschrieben. {because}",
}
_HELD = {
    Language.ENGLISH: "It had to wait until {until}, {reason}.",
    Language.GERMAN: "Es musste bis {until} warten, {reason}.",
}
_UNTIL = {Language.ENGLISH: "{}", Language.GERMAN: "zum {}"}
_REASONS: dict[Language, dict[str, str]] = {
    Language.ENGLISH: {
        "quiet_hours": "because those were your quiet hours",
        "live_conversation": "because we were talking just then",
        "snoozed": "because you had asked for a pause",
        "zone_unknown": "because your time zone was not known",
        "missed": "because its time had passed, and the next good moment came then",
        "clock_went_back": "because a clock of mine was wrong",
        "crisis_hold": "because coaching rested",
    },
    Language.GERMAN: {
        "quiet_hours": "denn es waren deine Ruhezeiten",
        "live_conversation": "denn wir waren gerade im Gespräch",
        "snoozed": "denn du hattest um eine Pause gebeten",
        "zone_unknown": "denn deine Zeitzone war nicht bekannt",
        "missed": "denn seine Zeit war vorbei, und dann kam der nächste gute Moment",
        "clock_went_back": "denn eine meiner Uhren ging falsch",
        "crisis_hold": "denn das Coaching ruhte",
    },
}
_OTHER_REASON = {
    Language.ENGLISH: "because it could not leave earlier",
    Language.GERMAN: "denn früher konnte es nicht hinaus",
}
_STOP = {
    Language.ENGLISH: "If you do not want that any more, write STOP.",
    Language.GERMAN: "Wenn du das nicht mehr möchtest, schreib STOP.",
}
_NOTHING = {
    Language.ENGLISH: "So far I have not written to you first: everything from me was an answer. "
    "If it shall stay like that, write STOP.",
    Language.GERMAN: "Bisher habe ich dir nie von mir aus geschrieben: Alles von mir war eine Antwort. "
    "Wenn es so bleiben soll, schreib STOP.",
}


@dataclass(frozen=True, slots=True)
class SentNudge:
    """The newest nudge that reached a person, or may have."""

    trigger: str
    due_at: datetime
    why: Mapping[str, str] = field(default_factory=dict)  # the check-in as it was
    held_until: datetime | None = None  # where it was held: until when at last, and why
    held_reason: str = ""


def nothing_sent(language: Language) -> str:
    """Return the answer for somebody to whom the coach never wrote first."""
    return _NOTHING[language]


def why_it_came(nudge: SentNudge, because: str, language: Language) -> str:
    """Return the answer; `because` is the sentence of the nudge's trigger."""
    zone = nudge.why.get("time_zone", "")
    parts = [_DUE[language].format(due=_local(nudge.due_at, zone, language), because=because)]
    if nudge.held_until is not None and nudge.held_until > nudge.due_at:
        until = _UNTIL[language].format(_local(nudge.held_until, zone, language))
        reason = _REASONS[language].get(nudge.held_reason, _OTHER_REASON[language])
        parts.append(_HELD[language].format(until=until, reason=reason))
    return " ".join((*parts, _STOP[language]))


def _local(at: datetime, zone_name: str, language: Language) -> str:
    zone = zone_of(zone_name)
    local = at.astimezone(zone or UTC)
    words = _DATE[language].format(
        day=local.day, month=_MONTHS[language][local.month - 1], time=local.strftime("%H:%M")
    )
    return words if zone is not None else words + _WORLD_TIME[language]
