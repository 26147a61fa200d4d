"""Long texts in parts that a channel takes, cut where a reader would pause."""

import re
from collections.abc import Iterator

from channel_adapter.domain.graphemes import boundary_at_or_before, continues, is_boundary

PARAGRAPH = re.compile(r"\n\s*\n")
LINE = re.compile(r"\n")
# A sentence ends with its mark and any closing quote or bracket; CJK marks need no space after them.
SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])")
SPACE = re.compile(r"\s+")
# A cut in the first part of the room would leave a stub of a message; then a finer kind of cut is better.
LEAST_SHARE = 0.3


def utf16_length(text: str) -> int:
    """Return the length in UTF-16 code units, in which providers count: 2 for characters outside the basic plane."""
    return len(text) + sum(1 for character in text if character > "\uffff")


def split(text: str, limit: int | None) -> tuple[str, ...]:
    """Return `text` in parts of at most `limit` UTF-16 code units, none of them blank.

    The cut is after a paragraph, else a line, a sentence, a word, else where the room ends; never inside what a
    reader sees as one character, unless that alone is longer than `limit`. The same text and limit
    always give the same parts, so that sending can go on after the parts that were accepted before.
    """
    stripped = text.strip()
    if not stripped:
        return ()
    return (stripped,) if limit is None else tuple(_parts(stripped, limit))


def _parts(text: str, limit: int) -> Iterator[str]:
    while utf16_length(text) > limit:
        room = _room(text, limit)
        head, rest = _cut(text, room)
        if head:
            yield head
        text = rest
    if text:
        yield text


def _room(text: str, limit: int) -> int:
    """Return how many characters from the start fit into `limit` units; at least one."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if character > "\uffff" else 1
        if units > limit:
            return max(index, 1)
    return len(text)


def _cut(text: str, room: int) -> tuple[str, str]:
    # One character beyond the room, so that a pause right behind it is seen.
    window = text[: room + 1]
    for pause in (PARAGRAPH, LINE, SENTENCE, SPACE):
        ends = [match.end() for match in pause.finditer(window) if _fits(match, room)]
        if places := [end for end in ends if is_boundary(text, end)]:
            return _halves(text, places[-1])
    return _halves(text, boundary_at_or_before(text, room))


def _halves(text: str, place: int) -> tuple[str, str]:
    rest = text[place:].lstrip()
    if rest and rest != text[place:] and continues(rest[0]):
        rest = text[-len(rest) - 1 :]  # an accent that stands alone keeps the space that carries it
    return text[:place].rstrip(), rest


def _fits(match: re.Match[str], room: int) -> bool:
    return room * LEAST_SHARE <= match.start() and len(match.string[: match.end()].rstrip()) <= room
