"""Screening for danger before any model: a lexicon, word boundaries, negation."""

import re
import unicodedata

from coaching.domain.crisis_lexicon import (
    ANSWERS,
    CERTAIN,
    FILLERS,
    FOR_NOW,
    JOINTS,
    NEGATABLE,
    NEGATORS,
    NEVERS,
    STRONGER,
    SUBJECTS,
    TELLING,
    TELLING_STEMS,
)
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
# One look tells of most texts that none of them is there.
_CONTRACTED = re.compile("|".join(pattern.pattern for pattern, _ in CONTRACTIONS))
_CLAUSE_MARKS = re.compile(r"[.,;:!?\n…()|]+| [-–—] |\b(?:but|aber|sondern)\b")
_NOT_WORDS = re.compile(r"[^a-z|]+")


def _compiled(table: dict[Language, tuple[str, ...]]) -> dict[Language, re.Pattern[str]]:
    return {language: re.compile(r"\b(?:" + "|".join(phrases) + r")\b") for language, phrases in table.items()}


_NEGATABLE = _compiled(NEGATABLE)
_CERTAIN = _compiled(CERTAIN)


def normalised(text: str) -> str:
    """Return lower-case words of a to z, single-spaced, with " | " between clauses.

    Accents are dropped (ö -> o), invisible characters too; English contractions are written out.
    """
    plain = (text.lower() if text.isascii() else _unaccented(text)).replace("`", "'")
    if _CONTRACTED.search(plain):
        for pattern, full in CONTRACTIONS:
            plain = pattern.sub(full, plain)
    plain = _CLAUSE_MARKS.sub(f" {CLAUSE} ", plain)
    return " ".join(_NOT_WORDS.sub(" ", plain).split())


def _unaccented(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in folded if unicodedata.category(char) not in ("Mn", "Cf"))
    return plain.replace("’", "'").replace("‘", "'").replace("´", "'")


def may_be_danger(plain: str) -> bool:
    """Tell in one look whether a normalised text can hold any phrase; where it cannot, none need be looked for."""
    return not TELLING.isdisjoint(plain.split()) or any(stem in plain for stem in TELLING_STEMS)


def screen(text: str) -> Language | None:
    """Return the language of the first phrase that means danger to a life, or None.

    A negated phrase is none ("I would never kill myself"); a doubly negated or merely nearby negation counts as danger.
    """
    plain = normalised(text)
    if not may_be_danger(plain):
        return None
    for language, pattern in _CERTAIN.items():
        if pattern.search(plain):
            return language
    for language, pattern in _NEGATABLE.items():
        for match in pattern.finditer(plain):
            if not _negated(plain, match):
                return language
    return None


def _negated(plain: str, match: re.Match[str]) -> bool:
    """Tell whether exactly one negator governs the phrase, from before it or from within, and wholly and for good."""
    inside = match.group().split()
    before = plain[: match.start()].split()
    negators = [word for word in inside if word in NEGATORS]
    following = inside[0]
    while before and (before[-1] in FILLERS or before[-1] in NEGATORS):
        word = before.pop()
        if word in NEGATORS and not (word in ANSWERS and following in SUBJECTS):
            negators.append(word)
        following = word
    # "Why not kill myself": the question is a wish.
    if len(negators) != 1 or (before and before[-1] in ("why", "warum")):
        return False
    return not (_denied(before) or _limited(negators[0], inside, plain[match.end() :]))


def _denied(before: list[str]) -> bool:
    """Tell whether the negation is itself denied earlier in its clause: "I never said I don't want to"."""
    for at in range(len(before) - 1, -1, -1):
        if before[at] in JOINTS:
            return False
        if before[at] in NEGATORS and before[at] not in ANSWERS:
            return True
    return False


def _limited(negator: str, inside: list[str], after: str) -> bool:
    """Tell whether the clause goes on to say "never so badly" or "not today"."""
    rest = [*inside, *after.split(CLAUSE, 1)[0].split()]
    told = " ".join(rest).replace("nie mehr", "nie")  # "never again", not "never more than now"
    if negator in NEVERS and any(word in STRONGER for word in told.split()):
        return True
    return any(word in FOR_NOW for word in rest) or "noch nicht" in told
