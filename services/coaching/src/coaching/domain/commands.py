"""Words that steer the coach: the whole message, trimmed and case-folded, before any model sees it."""

import re
import unicodedata
from enum import StrEnum

from coaching.domain.people import Language, PersonChange


class Command(StrEnum):
    """What a person can order."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    WHY = "why"


# The first line of each are the words that carriers require (CTIA; Twilio's default lists).
WORDS: dict[Command, frozenset[str]] = {
    Command.STOP: frozenset(
        (
            "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "opt-out",
            "stop writing", "stop writing me", "stop writing to me",
            "stop messaging me", "stop texting me", "stop sending me messages", "no more messages",
            "don't write to me any more", "don't write to me anymore", "do not write to me any more",
            "stopp", "abmelden", "abbestellen", "aufhören", "hör auf mir zu schreiben",
            "schreib mir nicht mehr", "keine nachrichten mehr",
            "arret", "arrêt", "arrêter", "desabonner", "désabonner",
            "alto", "parar", "cancelar", "baja", "pare", "sair", "basta", "ferma", "annulla", "afmelden",
        )
    ),
    Command.START: frozenset(
        (
            "start", "unstop", "resume", "subscribe", "optin", "opt in", "opt-in",
            "weiter", "anmelden", "starten", "fortsetzen",
            "commencer", "reprendre", "iniciar", "comenzar", "empezar", "começar", "inizia", "riprendi", "aanmelden",
        )
    ),
    Command.HELP: frozenset(
        ("help", "info", "hilfe", "aide", "ayuda", "ajuda", "aiuto", "hulp")
    ),
    Command.WHY: frozenset(
        (
            "why did i get this", "why did i get this message", "why am i getting this", "why do i get this",
            "why did you write", "why did you write to me", "why did you text me", "why did you message me",
            "why are you writing", "why are you writing to me", "why are you writing me",
            "warum bekomme ich das", "warum bekomme ich diese nachricht", "warum habe ich das bekommen",
            "warum hast du geschrieben", "warum hast du mir geschrieben", "warum schreibst du",
            "warum schreibst du mir", "wieso bekomme ich das", "wieso hast du mir geschrieben",
            "wieso schreibst du mir",
            "pourquoi m'as-tu écrit", "pourquoi tu m'écris", "pourquoi je reçois ça", "pourquoi ce message",
            "por qué me escribes", "por qué me has escrito", "por qué recibo esto",
            "por que me escreveste", "por que você me escreveu", "por que recebi isto", "por que recebi isso",
            "perché mi scrivi", "perché mi hai scritto", "perché ricevo questo",
            "waarom krijg ik dit", "waarom schrijf je mij", "waarom schrijf je me",
        )
    ),
}  # fmt: skip
# Said alone these are a person's question to the coach; only the slash makes a command of them.
SLASH_WORDS = {"why": Command.WHY, "warum": Command.WHY}
GERMAN = frozenset(
    ("stopp", "abmelden", "abbestellen", "aufhören", "hör auf mir zu schreiben", "schreib mir nicht mehr",
     "keine nachrichten mehr", "weiter", "anmelden", "starten", "fortsetzen", "hilfe", "/warum",
     *(word for word in WORDS[Command.WHY] if word.startswith(("warum", "wieso"))))
)  # fmt: skip
# Telegram sends "/start <payload>" when a person opens a deep link; groups write "/stop@name_of_the_bot".
SLASH = re.compile(r"/(?P<word>[a-z]+)(?:@\w+)?(?:\s+[\w-]{1,64})?")
# Whoever asks politely to be left alone is left alone.
POLITE = frozenset(("please", "thanks", "bitte", "danke"))
STEERING = (Command.STOP, Command.START)
_COMMANDS = {word: command for command, words in WORDS.items() for word in words}


def normalised(text: str) -> str:
    """Trim, case-fold, take one form of each character, and leave out what is not seen; politeness around STOP too."""
    plain = text.lower() if text.isascii() else _in_one_form(text)
    words = _without_marks(plain).replace("thank you", "thanks").split()
    first, after = 0, len(words)
    while first < after and _without_marks(words[first]) in POLITE:
        first += 1
    while after > first and _without_marks(words[after - 1]) in POLITE:
        after -= 1
    bare = _without_marks(" ".join(words[first:after]))
    return bare if _COMMANDS.get(bare) is Command.STOP else " ".join(words)


def _in_one_form(text: str) -> str:
    seen = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", seen).casefold()).replace("’", "'")


def _without_marks(text: str) -> str:
    """Take marks, quotes and emoji off both ends; a slash that leads stays. Linear, whatever a person sends."""
    first, after = 0, len(text)
    while first < after and not (text[first].isalnum() or text[first] == "/"):
        first += 1
    while after > first and not text[after - 1].isalnum():
        after -= 1
    return text[first:after]


def command_in(text: str) -> Command | None:
    """Return the command that the whole message is, or None: "stop" is one, "I can't stop" is not."""
    plain = normalised(text)
    slash = SLASH.fullmatch(plain)
    if slash is not None:
        word = slash["word"]
        # Of the slash words only /start has a payload; the others are the whole message like any word.
        if word != Command.START and " " in plain:
            return None
        return _COMMANDS.get(word) or SLASH_WORDS.get(word)
    return _COMMANDS.get(plain)


def language_in(text: str) -> Language | None:
    """Return the language that a command's word belongs to alone, else None."""
    return Language.GERMAN if normalised(text) in GERMAN else None


def steering(commands: tuple[Command, ...]) -> Command | None:
    """Return the last STOP or START among commands in the order they were written: the one that counts."""
    return next((command for command in reversed(commands) if command in STEERING), None)


def change_of(commands: tuple[Command, ...]) -> PersonChange:
    """Return what commands, in the order they were written, change: the last STOP or START counts.

    START ends a crisis hold too: it is the person's own word that coaching may go on.
    """
    last = steering(commands)
    if last is None:
        return PersonChange()
    if last is Command.STOP:
        return PersonChange(proactive_stopped=True)
    return PersonChange(proactive_stopped=False, crisis_hold=False)
