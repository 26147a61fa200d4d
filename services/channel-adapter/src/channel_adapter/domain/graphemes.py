"""Where a text may be cut without tearing apart what a reader sees as one character."""

import unicodedata

JOINER = "\u200d"
VARIATION = (("\ufe00", "\ufe0f"), ("\U000e0100", "\U000e01ef"))
SKIN = ("\U0001f3fb", "\U0001f3ff")
TAGS = ("\U000e0020", "\U000e007f")  # spell out the flags of regions
REGIONAL = ("\U0001f1e6", "\U0001f1ff")
MARKS = frozenset({"Mn", "Me", "Mc"})


def continues(character: str) -> bool:
    """Whether a character belongs to the one before it: an accent, a joiner, a variation, a colour of skin."""
    return (
        character == JOINER
        or unicodedata.category(character) in MARKS
        or any(first <= character <= last for first, last in (*VARIATION, SKIN, TAGS))
    )


def is_boundary(text: str, index: int) -> bool:
    """Whether `text` may be cut before `index`."""
    if not 0 < index < len(text):
        return True
    before, after = text[index - 1], text[index]
    if before == JOINER or continues(after):
        return False
    return not (_is_regional(after) and _regionals_before(text, index) % 2)


def boundary_at_or_before(text: str, index: int) -> int:
    """Return the last place up to `index` where `text` may be cut; `index` itself where that is only the start."""
    place = index
    while place > 0 and not is_boundary(text, place):
        place -= 1
    return place or index


def _is_regional(character: str) -> bool:
    return REGIONAL[0] <= character <= REGIONAL[1]


def _regionals_before(text: str, index: int) -> int:
    """Count the letters of flags right before `index`: a flag is a pair of them."""
    start = index
    while start > 0 and _is_regional(text[start - 1]):
        start -= 1
    return index - start
