"""Help lines by country, and what is said where none is known.

Numbers as their operators publish them: 988lifeline.org (US), 988.ca, samaritans.org (116 123), telefonseelsorge.de,
telefonseelsorge.at (142), 143.ch, 3114.fr, linea024 (ES), lifeline.org.au, 1737.org.nz, 113.nl, findahelpline.com.
Emergency: 112 works in the whole European Union and from mobile phones in most of the world.
"""

from dataclasses import dataclass

from coaching.domain.people import Language, language_of, region_of


@dataclass(frozen=True, slots=True)
class HelpLines:
    """Whom to call: an emergency number, and somebody to talk to at any hour."""

    emergency: str
    talk: str


BY_REGION: dict[str, HelpLines] = {
    "US": HelpLines("911", "988 (Suicide & Crisis Lifeline, call or text)"),
    "CA": HelpLines("911", "988 (Suicide Crisis Helpline, call or text)"),
    "GB": HelpLines("999", "116 123 (Samaritans)"),
    "IE": HelpLines("112", "116 123 (Samaritans)"),
    "AU": HelpLines("000", "13 11 14 (Lifeline)"),
    "NZ": HelpLines("111", "1737 (call or text)"),
    "DE": HelpLines("112", "0800 1110111 / 0800 1110222 (TelefonSeelsorge)"),
    "AT": HelpLines("112", "142 (Telefonseelsorge)"),
    "CH": HelpLines("112", "143 (Die Dargebotene Hand)"),
    "FR": HelpLines("112", "3114"),
    "ES": HelpLines("112", "024"),
    "NL": HelpLines("112", "113 / 0800 0113 (113 Zelfmoordpreventie)"),
}
# A bare language is no country; German without one is answered with the German lines, which say where they are.
BY_LANGUAGE: dict[Language, HelpLines] = {
    Language.GERMAN: HelpLines(
        "112",
        "0800 1110111 (TelefonSeelsorge, Deutschland), 142 (Österreich), 143 (Schweiz); "
        "andere Länder: findahelpline.com",
    ),
    Language.ENGLISH: HelpLines(
        "112 (911 in the US and Canada)",
        "988 (US, Canada), 116 123 (Samaritans, UK and Ireland), 13 11 14 (Lifeline, Australia); "
        "other countries: findahelpline.com",
    ),
}  # fmt: skip


def help_lines(locale: str, language: Language) -> HelpLines:
    """Return the lines of the locale's country, or those that the language's readers can use."""
    own = BY_REGION.get(region_of(locale))
    if own is not None:
        return own
    return BY_LANGUAGE[language if language is not Language.ENGLISH else language_of(locale)]
