"""The person wants to be asked at this time: every due time counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.first_words import FirstWords
from coaching.domain.people import Language
from coaching.domain.rule_words import when_in_words

WORDS: dict[Language, FirstWords] = {
    Language.ENGLISH: FirstWords(
        openings=("Hello, here is your check-in.", "Hello, a moment just for you.", "Hello, time to look up briefly."),
        about=(
            "How are things with that now?",
            "What has moved there since then?",
            "What would make that a little easier today?",
        ),
        open=(
            "How are you doing right now?",
            "What is on your mind at the moment?",
            "What deserves a little of your attention today?",
        ),
    ),
    Language.GERMAN: FirstWords(
        openings=("Hallo, hier ist dein Check-in.", "Hallo, ein Moment nur für dich.", "Hallo, Zeit, kurz aufzusehen."),
        about=(
            "Wie steht es jetzt damit?",
            "Was hat sich seitdem bewegt?",
            "Was würde es heute ein wenig leichter machen?",
        ),
        open=(
            "Wie geht es dir gerade?",
            "Was beschäftigt dich im Moment?",
            "Was verdient heute ein wenig von deiner Aufmerksamkeit?",
        ),
    ),
}
BECAUSE = {
    Language.ENGLISH: "You have a check-in {}.",
    Language.GERMAN: "Du hast einen Check-in {}.",
}


@dataclass(frozen=True, slots=True)
class ScheduledCheckIn:
    """Asks how things are, at the times of a rule."""

    name: str = "scheduled_check_in"
    rank: int = 10

    def earliest(self, check_in: CheckIn, activity: Activity) -> datetime | None:  # noqa: ARG002  # as every trigger
        """Return None: whatever the person does, they asked for this time."""
        return None

    def problem(self, check_in: CheckIn) -> str:
        """Refuse days of silence: they would mean nothing here."""
        return "after_days belongs to the trigger inactivity: leave it out" if check_in.after_days else ""

    def template(self, language: Language, said: str | None, spoken: Sequence[str] = ()) -> str:
        """Return an opening, what was said, and a question."""
        return WORDS[language].with_said(said, spoken)

    def instructions(self) -> str:
        """Return the reason in a line."""
        return "It is the time at which the person wants a check-in. Ask how it goes with what you last talked about."

    def because(self, why: Mapping[str, str], language: Language) -> str:
        """Name the rule and its time."""
        return BECAUSE[language].format(when_in_words(why, language))
