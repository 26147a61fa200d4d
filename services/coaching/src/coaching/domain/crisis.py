"""Screening for danger before any model: a lexicon, word boundaries, negation."""

import re
import unicodedata

from coaching.domain.crisis_lexicon import CERTAIN, FILLERS, NEGATABLE, NEGATORS
from coaching.domain.people import Language

CLAUSE = "|"
CONTRACTIONS = (
    (re.compile(r"\bcan'?t\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon'?t\b"), "will not"),
    (re.compile(r"\b(do|did|does|would|should|could|was|were|is|are|have|has)n'?t\b"), r"\1 not"),
    (re.compile(r"\bwanna\b"), "want to"),
    (re.compile(r"\bgonna\b"), "going to"),
    (re.compile(r"\b(i|you|he|she|they|we|it)'(?:m|re|s|d|ll|ve)\b"), r"\1"),
)
_CLAUSE_MARKS = re.compile(r"[.,;:!?\n…()]+| - | – | — |\bbut\b|\baber\b|\bsondern\b")
_NOT_WORDS = re.compile(r"[^a-z|]+")


def _compiled(table: dict[Language, tuple[str, ...]]) -> dict[Language, re.Pattern[str]]:
    return {language: re.compile(r"\b(?:" + "|".join(phrases) + r")\b") for language, phrases in table.items()}


_NEGATABLE = _compiled(NEGATABLE)
_CERTAIN = _compiled(CERTAIN)


def normalised(text: str) -> str:
    """Return lower-case words of a to z, single-spaced, with " | " between clauses.

    Accents are dropped (ö -> o), invisible characters too; English contractions are written out.
    """
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in folded if unicodedata.category(char) not in ("Mn", "Cf"))
    plain = plain.replace("’", "'").replace("‘", "'").replace("`", "'").replace("´", "'")
    for pattern, full in CONTRACTIONS:
        plain = pattern.sub(full, plain)
    plain = _CLAUSE_MARKS.sub(f" {CLAUSE} ", plain)
    return " ".join(_NOT_WORDS.sub(" ", plain).split())


def screen(text: str) -> Language | None:
    """Return the language of the first phrase that means danger to a life, or None.

    A negated phrase is none ("I would never kill myself"); a doubly negated or merely nearby negation counts as danger.
    """
    plain = normalised(text)
    for language, pattern in _CERTAIN.items():
        if pattern.search(plain):
            return language
    for language, pattern in _NEGATABLE.items():
        for match in pattern.finditer(plain):
            if not _negated(plain, match):
                return language
    return None


def _negated(plain: str, match: re.Match[str]) -> bool:
    """Tell whether exactly one negator governs the phrase, from before it or from within."""
    inside = sum(word in NEGATORS for word in match.group().split())
    before = plain[: match.start()].split()
    count = inside
    while before and (before[-1] in FILLERS or before[-1] in NEGATORS):
        count += before.pop() in NEGATORS
    # "Why not kill myself": the question is a wish.
    return count == 1 and not (before and before[-1] in ("why", "warum"))
