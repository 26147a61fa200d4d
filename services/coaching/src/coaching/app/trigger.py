"""What a reason to speak first must tell the platform; each is one file in triggers/ and one line of its registry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.people import Language


class Trigger(Protocol):
    """One reason to speak first. All of it is pure: it reads no clock and no database."""

    @property
    def name(self) -> str:
        """The word that check-ins, nudges and metrics call it by."""

    @property
    def rank(self) -> int:
        """Of several nudges that are due together the lowest rank speaks, and the others are merged into it."""

    def earliest(self, check_in: CheckIn, activity: Activity) -> datetime | None:
        """Return the time before which no due time of the check-in counts; None: they all do."""

    def problem(self, check_in: CheckIn) -> str:
        """Return what is wrong with the check-in's own options and what to do, or "" where nothing is."""

    def template(self, language: Language, said: str | None, spoken: Sequence[str] = ()) -> str:
        """Return words that no model makes. `said`: a sentence about what was last talked about (domain/last_said).

        `spoken` are the coach's last messages: where there is another wording, none of them is said again.
        """

    def instructions(self) -> str:
        """Return, in English, the reason for which a model shall write first now, and what to ask; one or two lines."""

    def because(self, why: Mapping[str, str], language: Language) -> str:
        """Return why somebody got it, as one sentence; `why` is the check-in as the nudge kept it, any key missing."""


Triggers = Mapping[str, Trigger]
