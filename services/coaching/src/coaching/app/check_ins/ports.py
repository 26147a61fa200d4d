"""What the use cases of check-ins need from outside, and the ways in which they refuse."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coaching.domain.check_ins import Activity, CheckIn, Nudge
from coaching.domain.dispatching import Case
from coaching.domain.explaining import ToldDecision, ToldNudge
from coaching.domain.ids import PersonId
from coaching.domain.quiet_hours import QuietHours


class RefusedError(ValueError):
    """What was asked cannot be done. The text says what to do, and quotes only times and names of a known form."""


class InvalidError(RefusedError):
    """A field is missing or wrong."""


class UnknownError(RefusedError):
    """There is no such person, check-in or nudge in this organisation."""


class TooManyError(RefusedError):
    """The person has as many check-ins as they may."""


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person by id, or by where they write from."""

    organization_id: str
    person_id: str = ""
    channel: str = ""
    account: str = ""
    sender_id: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """When one person may be written to."""

    person_id: PersonId
    time_zone: str | None = None
    quiet: QuietHours | None = None  # None: they have not said, so the platform's default holds
    proactive_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A nudge that waits: why, when it is decided about again, and the zone of its check-in."""

    nudge: Nudge
    reason: str
    look_at: datetime
    time_zone: str


class OnePerson(Protocol):
    """One person's check-ins within one transaction."""

    @property
    def times(self) -> Times: ...

    async def check_ins(self) -> list[CheckIn]:
        """Return all of them, oldest first."""

    async def activities(self) -> Mapping[str, Activity]:
        """Return what triggers may know, by check-in; for one that has no nudge yet it is at the key ""."""

    async def held(self) -> list[Held]:
        """Return the nudges that wait."""

    async def case(self, now: datetime, default_quiet: QuietHours) -> Case:
        """Return what else decides about this person; nothing that is due or held is in it."""

    async def is_taken(self, check_in_id: str) -> bool:
        """Whether a check-in of anybody in the organisation has this id."""

    async def write(self, check_ins: Sequence[CheckIn], now: datetime) -> None:
        """Insert or replace check-ins; words that were prepared for an earlier form of them are thrown away."""

    async def remove(self, check_in_id: str) -> None: ...

    async def set_times(self, time_zone: str | None, quiet: QuietHours | None) -> None:
        """Set what is given; None leaves it as it is."""

    async def look_again(self, now: datetime, check_in_id: str = "") -> None:
        """Let the held nudges, of one check-in or of all, be decided about anew as soon as somebody comes by."""


class CheckIns(Protocol):
    """Check-ins in the database. Raises UnknownError where there is no such person."""

    def reading(self, ref: PersonRef) -> AbstractAsyncContextManager[OnePerson]: ...

    def changing(self, ref: PersonRef) -> AbstractAsyncContextManager[OnePerson]:
        """As reading, but nobody else changes or decides about this person until the block ends, which commits."""


class Explaining(Protocol):
    """Nudges and the decisions about them."""

    async def nudges(self, ref: PersonRef, limit: int) -> list[ToldNudge]:
        """Return a person's nudges, newest first. Raises UnknownError where there is no such person."""

    async def nudge(self, organization_id: str, nudge_id: str) -> tuple[ToldNudge, list[ToldDecision]] | None: ...
