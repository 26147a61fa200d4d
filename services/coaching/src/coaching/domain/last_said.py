"""What was last talked about: which of a person's own words a coach that speaks first may come back to, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from coaching.domain.commands import command_in
from coaching.domain.curated.compose import quoted
from coaching.domain.curated.menu import Mood, asks_memory, menu_for
from coaching.domain.people import Language
from coaching.domain.reply_checks import ReplyChecks, Verdict

FEWEST_WORDS = 3  # "ok" and "thanks" are no topic
SMALL_TALK = frozenset({Mood.GREETING, Mood.THANKS, Mood.ABOUT_ME})
_DAYS: dict[Language, tuple[str, ...]] = {
    Language.ENGLISH: ("Earlier today you wrote", "Yesterday you wrote"),
    Language.GERMAN: ("Heute hast du schon geschrieben", "Gestern hast du geschrieben"),
}
_SOME_DAYS = {Language.ENGLISH: "{} days ago you wrote", Language.GERMAN: "Vor {} Tagen hast du geschrieben"}
_LONG_AGO = {
    Language.ENGLISH: "When we last talked, you wrote",
    Language.GERMAN: "Als wir zuletzt geredet haben, hast du geschrieben",
}
COUNTED_DAYS = 13
_CHECKS = ReplyChecks(frozenset())


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the person that a model's words answered."""

    text: str
    at: datetime


def last_said(newest_first: Sequence[Said], language: Language) -> Said | None:
    """Return the newest message that says something which can be come back to; None where there is none.

    What is left out: small talk, commands, questions about what the coach remembers, and words that no reply may
    hold (danger above all), even as a quotation.
    """
    return next((said for said in newest_first if _worth_it(said.text) and _may_be_quoted(said.text, language)), None)


def reference(said: Said, at: datetime, zone: tzinfo, language: Language) -> str:
    """Return the sentence that comes back to it, at the time `at` of the person's own zone."""
    days = _days(said, at, zone)
    when = _LONG_AGO[language]
    if days < len(_DAYS[language]):
        when = _DAYS[language][days]
    elif days <= COUNTED_DAYS:
        when = _SOME_DAYS[language].format(days)
    return f"{when}: {quoted(said.text, language)}."


def days_ago(said: Said, at: datetime, zone: tzinfo) -> str:
    """Return in English how long ago it was at `at`, by the days of the person's own zone."""
    days = _days(said, at, zone)
    return ("earlier today", "yesterday")[days] if days < 2 else f"{days} days ago"


def _worth_it(text: str) -> bool:
    if len(text.split()) < FEWEST_WORDS or command_in(text) is not None or asks_memory(text):
        return False
    return not SMALL_TALK.intersection(menu_for(text, Language.ENGLISH).moods)


def _may_be_quoted(text: str, language: Language) -> bool:
    return _CHECKS.verdict(f"{_LONG_AGO[language]}: {quoted(text, language)}.", ()) is Verdict.KEEP


def _days(said: Said, at: datetime, zone: tzinfo) -> int:
    return max((at.astimezone(zone).date() - said.at.astimezone(zone).date()).days, 0)
