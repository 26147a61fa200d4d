"""People: what the coach must know of somebody before it answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coaching.domain.ids import PersonId


class Language(StrEnum):
    """Languages that prepared texts exist in."""

    ENGLISH = "en"
    GERMAN = "de"


@dataclass(frozen=True, slots=True)
class Person:
    """One person of one organisation, on whatever channels; times are None where the thing has not happened."""

    person_id: PersonId
    locale: str  # BCP 47 as the channel told it, or empty
    notice_given_at: datetime | None = None  # told that this is a machine, and how to stop it
    crisis_hold_at: datetime | None = None  # coaching and proactive messages rest


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What a turn changes about a person; None leaves a thing as it is."""

    proactive_stopped: bool | None = None
    crisis_hold: bool | None = None
    notice_given: bool = False


def language_of(locale: str) -> Language:
    """Return the language that prepared texts are given in; English where there are none in the person's own."""
    primary = locale.replace("_", "-").split("-", 1)[0].casefold()
    return Language(primary) if primary in set(Language) else Language.ENGLISH


def region_of(locale: str) -> str:
    """Return the region of a BCP 47 tag ("de-AT" -> "AT"), or an empty string; a script subtag is skipped."""
    for part in locale.replace("_", "-").split("-")[1:]:
        if len(part) == 2 and part.isalpha():
            return part.upper()
    return ""
