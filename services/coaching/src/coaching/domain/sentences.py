"""A stream of text cut into sentences as it arrives, the same however it is chopped up."""

import re
from dataclasses import dataclass

# A full stop after one of these ends no sentence.
ABBREVIATIONS = frozenset(
    "dr mr mrs ms prof st vs etc e.g i.e approx no nr z.b d.h u.a o.ä bzw ca usw evtl ggf sog inkl min max std".split()
)
_LINE = r"[^\S\n]*\n\s*(?=\S)"
_ENDED = r"(?P<end>[.!?…]+[\"'”’»)\]]*)\s+(?=\S)"
_WIDE = r"(?P<wide>[。！？]+[」』）]*)\s*(?=[^\s。！？」』）])"
_BOUNDARY = re.compile(f"{_ENDED}|{_WIDE}|{_LINE}")
# The number of a line in a list, or a German date ("am 3. Mai"): its dot ends nothing.
_ORDINAL = re.compile(
    r"(?:^|\b(?:(?<!\bi\s)am|vom|zum|beim|der|die|das|den|dem|im|seit|bis|ab|ihr|sein|mein)\s)\d{1,2}\.$", re.IGNORECASE
)
_LAST_WORD = re.compile(r"(?:^|[\s(\"'“„«])([^\s(\"'“„«]*)$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without space around it; `lead` stands between it and the one before: "", " " or new lines."""

    text: str
    lead: str = ""


class SentenceSplitter:
    """Feed it pieces of a text; it gives back each sentence once the next one has begun."""

    def __init__(self) -> None:
        self._buffer = ""
        self._lead = ""

    def feed(self, piece: str) -> list[Sentence]:
        """Return the sentences that `piece` has completed."""
        self._buffer += piece
        found = []
        while (sentence := self._next()) is not None:
            found.append(sentence)
        return found

    def rest(self) -> list[Sentence]:
        """Return what is left at the end of the text."""
        text, self._buffer = self._buffer.strip(), ""
        return [Sentence(text, self._lead)] if text else []

    def _next(self) -> Sentence | None:
        for match in _BOUNDARY.finditer(self._buffer):
            end = match.end("end") if match["end"] else match.end("wide") if match["wide"] else match.start()
            text = self._buffer[:end].strip()
            space = self._buffer[end : match.end()]
            if not text:
                continue
            if match["end"] and "\n" not in space and _goes_on(text, self._buffer[match.end()]):
                continue
            sentence = Sentence(text, self._lead)
            self._lead = "\n\n" if space.count("\n") > 1 else "\n" if "\n" in space else "" if match["wide"] else " "
            self._buffer = self._buffer[match.end() :]
            return sentence
        return None


def _goes_on(text: str, following: str) -> bool:
    """Tell whether the mark that ends `text` ends no sentence: abbreviation, ordinal, a small letter after it."""
    if not text.endswith("."):
        return following.islower() and not text.endswith(("!", "?"))
    word = _LAST_WORD.search(text.rstrip("."))
    last = word.group(1).casefold() if word else ""
    return following.islower() or last in ABBREVIATIONS or _ORDINAL.search(text) is not None


def split(text: str) -> list[Sentence]:
    """Return the sentences of a whole text."""
    splitter = SentenceSplitter()
    return [*splitter.feed(text), *splitter.rest()]


def joined(sentences: list[Sentence]) -> str:
    """Return the text that sentences make; the first one's lead does not count."""
    return "".join(
        sentence.text if index == 0 else sentence.lead + sentence.text for index, sentence in enumerate(sentences)
    )
