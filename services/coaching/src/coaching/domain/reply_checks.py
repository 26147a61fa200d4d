"""What a sentence must pass before a person reads it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from coaching.domain.crisis import screen

MAX_SENTENCE = 500  # characters; a longer one is a list or a loop
MAX_REPLY = 1200
LEAK_WORDS = 6  # this many words in a row from the system prompt are no accident


class Verdict(StrEnum):
    """What becomes of a sentence; STOP drops it and everything after it."""

    KEEP = "keep"
    DROP = "drop"
    STOP = "stop"


_CONTACT = (
    r"(?:remind|text|message|call|write|ping|email|contact|notify|nudge|phone) (?:to )?you"
    r"|send (?:you )?(?:\w+ ){0,2}(?:reminder|message|note|text|email|nudge|check-?in)"
    r"|check(?:ing)?[ -](?:in|back|up)\b|follow(?:ing)?[ -]up|reach(?:ing)? out|be in touch|get(?:ting)? back to you"
    r"|touch base|be back (?:tomorrow|later|soon)|(?:set|schedule|create|put) (?:up )?(?:a|an|the|you a) "
    r"(?:\w+ )?(?:reminder|alarm|appointment|call|check-?in)"
)
_DAY = (
    r"(?:tomorrow|soon|later|tonight|next \w+|again|on \w+day"
    r"|in (?:a|an|\w+) (?:few )?(?:minutes?|hours?|days?|weeks?))"
)
_WILL = (
    r"(?:'ll|will|shall|am going to|'m going to|can|could|would|'d|promise to|plan to|want to"
    r"|(?:'d|would) (?:like|love) to|am happy to|'m happy to)"
)
_HAVE = r"(?:i(?:'ve| have)?|we(?:'ve| have)?)"
_PROMISES_ENGLISH = (
    rf"\b(?:i|we) ?{_WILL} (?:\w+ ){{0,3}}(?:{_CONTACT})",
    rf"\b(?:let me|let's|let us|shall i|should i|may i|can i) (?:\w+ ){{0,3}}(?:{_CONTACT})",
    rf"\b(?:like|want|need|prefer) me to (?:\w+ ){{0,3}}(?:{_CONTACT})",
    r"\b(?:you will|you'll|expect to) "
    r"(?:hear from me|(?:get|receive) (?:a|my|another) (?:\w+ )?(?:message|reminder|call|note))",
    r"\bexpect (?:a|my) (?:\w+ )?(?:message|reminder|call|check-?in)",
    rf"\b(?:talk|speak|chat|write|see|meet|hear) (?:to |with |from )?you (?:\w+ )?{_DAY}",
    rf"\bi(?:'m| am) (?:checking in|following up|texting you|calling you|reminding you|messaging you) {_DAY}",
    rf"\b{_HAVE} (?:just )?(?:set|scheduled|added|created|put) (?:up )?(?:a|an|the|your) "
    r"(?:\w+ )?(?:reminder|alarm|appointment|check-?in|call)",
    r"\b(?:reminder|check-?in|appointment) (?:is|has been) (?:set|scheduled|added)",
)  # fmt: skip
_REACH_GERMAN = r"(?:erinner\w*|meld\w*|schreib\w*|anruf\w*|nachfrag\w*|nachhak\w*|benachrichtig\w*|kontaktier\w*)"
_PROMISES_GERMAN = (
    rf"\bich (?:werde|kann|will|könnte|möchte|würde) (?:\w+ ){{0,5}}{_REACH_GERMAN}",
    rf"\b(?:werde|kann) ich (?:\w+ ){{0,5}}{_REACH_GERMAN}",
    r"\bich (?:erinnere|benachrichtige|kontaktiere) dich",
    r"\b(?:ich (?:melde|melde\w*) mich|melde ich mich)",
    r"\b(?:ich schreibe|schreibe ich) dir",
    r"\bich (?:rufe|frage) (?:dich )?(?:\w+ ){0,3}(?:an|nach)\b",
    r"\b(?:soll|darf) ich (?:dich|dir|mich) (?:\w+ ){0,4}(?:erinnern|schreiben|melden|anrufen)",
    r"\b(?:du hörst|hörst du) (?:\w+ ){0,2}(?:wieder )?von mir",
    r"\bbis (?:morgen|bald|später|dann|nächste \w+)\b",
    r"\b(?:erinnerung|termin|wecker) (?:\w+ ){0,2}(?:gesetzt|eingestellt|eingetragen|angelegt|gestellt)",
)  # fmt: skip
_PROMISE = re.compile("|".join((*_PROMISES_ENGLISH, *_PROMISES_GERMAN)))
_ROLE_MARKER = re.compile(
    r"<\|?/?(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|s)\b|\[/?INST\]|<</?SYS>>"
    r"|^\s*(?:#{1,4}\s*)?(?:system|user|assistant|human|person|coach|client|ai|bot|model|du|ich)\s*:",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """Return text in one case, with one kind of apostrophe and single spaces."""
    return " ".join(text.casefold().replace("’", "'").replace("‘", "'").split())


def promises_contact(sentence: str) -> bool:
    """Tell whether a sentence says that the coach will get in touch, or offers to: no row backs that (P7)."""
    return _PROMISE.search(plain(sentence)) is not None


def has_role_marker(sentence: str) -> bool:
    """Tell whether a sentence holds a marker of a chat template, or begins as somebody's line."""
    return _ROLE_MARKER.search(sentence) is not None


@dataclass(frozen=True, slots=True)
class ReplyChecks:
    """The checks of one reply; `secret` holds the word runs of the system prompt."""

    secret: frozenset[str]

    @staticmethod
    def against(system_prompt: str) -> "ReplyChecks":
        """Return the checks for replies made under `system_prompt`."""
        return ReplyChecks(frozenset(_runs(system_prompt)))

    def verdict(self, sentence: str, released: Sequence[str]) -> Verdict:
        """Decide about one sentence, given the ones that the person has read already."""
        if has_role_marker(sentence):
            return Verdict.STOP
        if sum(map(len, released)) + len(sentence) > MAX_REPLY:
            return Verdict.STOP
        if len(sentence) > MAX_SENTENCE or not any(char.isalnum() for char in sentence):
            return Verdict.DROP
        if promises_contact(sentence) or screen(sentence) is not None or self._leaks(sentence):
            return Verdict.DROP
        if plain(sentence) in (plain(earlier) for earlier in released):
            return Verdict.DROP
        return Verdict.KEEP

    def _leaks(self, sentence: str) -> bool:
        return any(run in self.secret for run in _runs(sentence))


def _runs(text: str) -> list[str]:
    words = re.findall(r"\w+", text.casefold())
    return [" ".join(words[at : at + LEAK_WORDS]) for at in range(len(words) - LEAK_WORDS + 1)]
