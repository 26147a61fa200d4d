"""A recurrence rule in a person's words: "every day", "every week on Monday and Friday"."""

import re
from collections.abc import Mapping

from coaching.domain.people import Language

_EVERY: dict[Language, dict[str, tuple[str, str]]] = {
    Language.ENGLISH: {
        "DAILY": ("every day", "every {} days"),
        "WEEKLY": ("every week", "every {} weeks"),
        "MONTHLY": ("every month", "every {} months"),
        "YEARLY": ("every year", "every {} years"),
    },
    Language.GERMAN: {
        "DAILY": ("jeden Tag", "alle {} Tage"),
        "WEEKLY": ("jede Woche", "alle {} Wochen"),
        "MONTHLY": ("jeden Monat", "alle {} Monate"),
        "YEARLY": ("jedes Jahr", "alle {} Jahre"),
    },
}
_DAYS = {
    Language.ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    Language.GERMAN: ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ON = {Language.ENGLISH: " on ", Language.GERMAN: " am "}
_AND = {Language.ENGLISH: " and ", Language.GERMAN: " und "}
_OTHERWISE = {Language.ENGLISH: "on certain days", Language.GERMAN: "an bestimmten Tagen"}
_AT = {Language.ENGLISH: "{} at {}", Language.GERMAN: "{} um {}"}


def rule_in_words(rule: str, language: Language) -> str:
    """Return an RFC 5545 rule in words; one with parts that are not told is "on certain days"."""
    parts = dict(part.split("=", 1) for part in rule.upper().removeprefix("RRULE:").split(";") if "=" in part)
    every = _EVERY[language].get(parts.pop("FREQ", ""))
    interval, days = parts.pop("INTERVAL", "1"), parts.pop("BYDAY", "")
    told = set(parts) <= {"WKST", "COUNT", "UNTIL"} and interval.isdecimal()
    if every is None or not told or not re.fullmatch(r"(?:[A-Z]{2}(?:,[A-Z]{2})*)?", days):
        return _OTHERWISE[language]
    words = every[0] if interval == "1" else every[1].format(int(interval))
    named = [_DAYS[language][at] for at, code in enumerate(_CODES) if code in days.split(",")]
    return words + (_ON[language] + _listed(named, language) if named else "")


def when_in_words(why: Mapping[str, str], language: Language) -> str:
    """Return when a check-in is due, as its nudge kept it: "every day at 08:30 (Europe/Berlin)"."""
    words = rule_in_words(why.get("rule", ""), language)
    if why.get("local_time"):
        words = _AT[language].format(words, why["local_time"][:5])
    return f"{words} ({why['time_zone']})" if why.get("time_zone") else words


def _listed(names: list[str], language: Language) -> str:
    return _AND[language].join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
