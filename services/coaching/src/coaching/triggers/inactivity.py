"""It has been quiet for some days: a due time counts once so many days have passed without a word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.first_words import FirstWords
from coaching.domain.people import Language
from coaching.domain.rule_words import when_in_words

MOST_DAYS = 365
WORDS: dict[Language, FirstWords] = {
    Language.ENGLISH: FirstWords(
        openings=("Hello, it has been quiet here for a while.", "Hello, we have not talked for a while."),
        about=("How has that gone since then?", "What has become of that?", "How do you see that now?"),
        open=("How have you been?", "What has been going on for you?", "What fills your days at the moment?"),
    ),
    Language.GERMAN: FirstWords(
        openings=("Hallo, hier war es eine Weile still.", "Hallo, wir haben eine Weile nicht geredet."),
        about=("Wie ist es damit weitergegangen?", "Was ist daraus geworden?", "Wie siehst du das jetzt?"),
        open=("Wie ist es dir ergangen?", "Was war bei dir los?", "Was füllt deine Tage im Moment?"),
    ),
}
BECAUSE = {
    Language.ENGLISH: "You have a check-in for quiet times: {}, looked at {}.",
    Language.GERMAN: "Du hast einen Check-in für stille Zeiten: {}, nachgesehen {}.",
}
SILENCE = {
    Language.ENGLISH: ("some days without a message of yours", "1 day without a message of yours",
                       "{} days without a message of yours"),
    Language.GERMAN: ("einige Tage ohne Nachricht von dir", "1 Tag ohne Nachricht von dir",
                      "{} Tage ohne Nachricht von dir"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inactivity:
    """Asks how somebody is who has not written for `after_days` days; unanswered, again after as many."""

    name: str = "inactivity"
    rank: int = 20

    def earliest(self, check_in: CheckIn, activity: Activity) -> datetime | None:
        """Return the end of the silence, which begins with the last message, the last nudge, or the check-in itself."""
        begun = [at for at in (activity.last_message_at, activity.last_nudge_at) if at is not None]
        since = max(begun, default=check_in.created_at)
        return None if since is None else since + timedelta(days=check_in.after_days)

    def problem(self, check_in: CheckIn) -> str:
        """Want a number of days."""
        if 1 <= check_in.after_days <= MOST_DAYS:
            return ""
        return f"after_days says how many days of silence to wait for: 1 to {MOST_DAYS}"

    def template(self, language: Language, said: str | None, spoken: Sequence[str] = ()) -> str:
        """Return an opening without reproach, what was said, and a question."""
        return WORDS[language].with_said(said, spoken)

    def instructions(self) -> str:
        """Return the reason in a line."""
        return "The person has not written for some days. Ask, without any reproach, how they have been."

    def because(self, why: Mapping[str, str], language: Language) -> str:
        """Name the days of silence and when they are looked at."""
        days, (some, one, many) = why.get("after_days", ""), SILENCE[language]
        silence = one if days == "1" else many.format(days) if days.isdecimal() else some
        return BECAUSE[language].format(silence, when_in_words(why, language))
