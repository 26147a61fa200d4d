"""Prompts whose beginning stays the same byte for byte, so that a returning person's is found in the model's cache.

The system text never changes within a release; the history shows each message as its own prompt showed it; new things
are only added at the end. When the history is too long its older half goes at once, not a message with every turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, takewhile

from coaching.domain.turn import Pending

SYSTEM = (
    "You are a warm and brief personal coach. Begin with what the person seems to feel or want, in your own words; "
    "then ask one open question, or offer one tiny next step. At most three short sentences, in the language the "
    "person writes in. Do not diagnose and give no medical advice. You cannot promise to write or set reminders, so "
    "never say you will."
)
# Stands where a person would have spoken, before a coach who spoke first of all: chat templates begin with the person.
NOBODY_YET = "(The person has not written yet.)"
MAX_PERSON_CHARACTERS = 2000  # of one turn's messages in a prompt; the database keeps all of them
MAX_PERSON_BYTES = 3000  # as `size` counts: 2000 characters of a European language, a thousand of Chinese, 250 emoji
BYTES_PER_TOKEN = 3  # on the safe side: 4 in English, about 3 in German and in Chinese
MARGIN_TOKENS = 64  # for the marks of the chat template
MIN_ROOM = 200
MAX_RECALLED_BYTES = 400
MAX_RECALLED_CHARACTERS = 200  # of one recalled text: 20 prompt tokens a second on a small machine


class Speaker(StrEnum):
    """Whose words a part of the prompt holds."""

    SYSTEM = "system"
    PERSON = "person"
    COACH = "coach"


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One part of a prompt."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier message as prompts show it; positions rise."""

    message_id: str
    position: int
    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """Something from longer ago that bears on what was just said."""

    text_id: str
    text: str
    score: float
    by_person: bool


def shortened(text: str, limit: int) -> str:
    """Return text on one paragraph's spaces, cut at a word within `limit` characters."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    cut = flat[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut) + "…"


def person_side(messages: Sequence[Pending], recalled: Sequence[Recalled]) -> str:
    """Return the newest part of the prompt: what was written, in order, then what it reminds of."""
    written = "\n".join(message.text.strip() for message in messages if message.has_words)
    if len(written) > MAX_PERSON_CHARACTERS or size(written) > MAX_PERSON_BYTES:
        written = within(written[: MAX_PERSON_CHARACTERS - 1], MAX_PERSON_BYTES - size("…")) + "…"
    files = sum(message.files for message in messages)
    if files:
        written += f"\n({files} file{'s' if files > 1 else ''} came along that you cannot see.)"
    if not recalled:
        return written
    notes = "\n".join(
        f"- {'they wrote' if item.by_person else 'you answered'}: "
        + within(shortened(item.text, MAX_RECALLED_CHARACTERS), MAX_RECALLED_BYTES)
        for item in recalled
    )
    return f"{written}\n\n(From earlier talks, only if it helps:\n{notes})"


def history_start(history: Sequence[Past], limit: int) -> int:
    """Return the index from which `history` is shown: 0 while it fits `limit` characters, else where half of it does.

    That half begins with the person.
    """
    if sum(len(past.text) for past in history) <= limit:
        return 0
    kept = 0
    start = len(history)
    while start > 0 and kept + len(history[start - 1].text) <= limit // 2:
        start -= 1
        kept += len(history[start].text)
    while start < len(history) and history[start].speaker is not Speaker.PERSON:
        start += 1
    return start


def rendered(history: Sequence[Past], newest: str, room: int | None = None) -> tuple[PromptMessage, ...]:
    """Return the whole prompt: the system text, the history, and the newest part; person and coach alternate.

    Where `room` (in bytes of UTF-8) does not hold all of it, as with a model of a very short context, the history loses
    its oldest messages, then the newest part its end.
    """
    shown = _alternating(history)
    if room is not None:
        room -= size(SYSTEM)
        newest = within(newest, max(room, MIN_ROOM))
        while shown and size(newest) + sum(size(message.text) for message in shown) > room:
            del shown[0]
        while shown and shown[0].speaker is not Speaker.PERSON:
            del shown[0]
    return (
        PromptMessage(Speaker.SYSTEM, SYSTEM),
        *shown,
        PromptMessage(Speaker.PERSON, newest),
    )


def _alternating(history: Sequence[Past]) -> list[PromptMessage]:
    """Join what one side said in a row, as a coach that answers and later writes first: the bytes before stay."""
    shown = [PromptMessage(Speaker.PERSON, NOBODY_YET)] if history and history[0].speaker is Speaker.COACH else []
    for past in history:
        if shown and shown[-1].speaker is past.speaker:
            shown[-1] = PromptMessage(past.speaker, f"{shown[-1].text}\n\n{past.text}")
        else:
            shown.append(PromptMessage(past.speaker, past.text))
    return shown


def size(text: str) -> int:
    """Return the bytes of a text: tokens follow them more evenly over languages than characters do.

    An emoji counts three times its four bytes: a small model's vocabulary has few, and reads each as up to four tokens.
    """
    if text.isascii():
        return len(text)
    return len(text.encode(errors="replace")) + 8 * sum(char > "\uffff" for char in text)


def within(text: str, limit: int) -> str:
    """Return the longest beginning of a text whose size is within `limit`."""
    if size(text) <= limit:
        return text
    sizes = accumulate(size(char) for char in text)
    return text[: sum(1 for _ in takewhile(lambda so_far: so_far <= limit, sizes))]
