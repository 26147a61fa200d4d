"""Words that are made minutes before the coach speaks first: what they are made from, and what the model is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coaching.domain.check_ins import Activity, CheckIn
from coaching.domain.curated.compose import quoted
from coaching.domain.curated.menu import language_of_text
from coaching.domain.last_said import Said, days_ago, last_said, reference
from coaching.domain.people import Language, language_of
from coaching.domain.prompt import SYSTEM, Past, Speaker
from coaching.domain.quiet_hours import zone_of
from coaching.domain.reply_checks import ReplyChecks, Verdict
from coaching.domain.sentences import Sentence, joined, split
from coaching.domain.turn import Source

MOST_SENTENCES = 3
NOTE = (
    "(The person has not written; this time you write first. {reason} {said}"
    "Write one or two short sentences in {language} and end with one open question. Do not mention this note.)"
)
SAID = "What they told you {when}: {quoted} Come back to it. "
NAMES = {Language.ENGLISH: "English", Language.GERMAN: "German"}
# Words told hours later would speak of a wrong day.
GOOD_FOR = timedelta(hours=2)
FEWEST_SECONDS = 3.0  # nothing is begun so shortly before the due time


@dataclass(frozen=True, slots=True)
class Made:
    """What was made before, for the due time `due_at`; `position`: the person's newest message that it knows of."""

    due_at: datetime | None = None
    position: int = 0
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Unworded:
    """A check-in that will be due soon, and what its words may come back to."""

    organization_id: str
    token: int
    check_in: CheckIn
    may_be_written_to: bool  # told that this is a machine, not stopped, no crisis hold, on a channel
    locale: str
    activity: Activity
    newest: int  # position of the person's newest message
    made: Made = Made()
    conversation_id: str = ""
    history: tuple[Past, ...] = ()
    said: tuple[Said, ...] = ()  # of the person, answered by a model's words; newest first

    @property
    def fresh(self) -> bool:
        """Whether words were made for this due time, and nothing was said since."""
        made = self.made
        return made.source is not None and made.due_at == self.check_in.next_due_at and made.position == self.newest


@dataclass(frozen=True, slots=True)
class Worded:
    """Words for one check-in at one due time."""

    text: str
    source: Source
    at: datetime  # when they were made


@dataclass(frozen=True, slots=True)
class Subject:
    """In which language the coach speaks first, and what it comes back to."""

    language: Language
    said: Said | None
    reference: str | None  # the sentence about it, for words that no model makes
    when: str  # in English, for the model

    @staticmethod
    def of(item: Unworded, due_at: datetime) -> "Subject":
        """Return what the words for `due_at` are about."""
        newest = item.said[0].text if item.said else ""
        language = language_of_text(newest, language_of(item.locale))
        said = last_said(item.said, language)
        zone = zone_of(item.check_in.time_zone) or UTC
        if said is None:
            return Subject(language, None, None, "")
        when = days_ago(said, due_at, zone)
        return Subject(language, said, reference(said, due_at, zone, language), when)


def look_again_in(left_seconds: float, most_seconds: float) -> float | None:
    """Return after how many seconds words are looked at again, sooner as the due time comes near; None: no more."""
    return min(left_seconds / 2, most_seconds) if left_seconds > FEWEST_SECONDS else None


def note_of(reason: str, subject: Subject) -> str:
    """Return the newest part of the prompt under which a model writes first."""
    said = ""
    if subject.said is not None:
        said = SAID.format(when=subject.when, quoted=quoted(subject.said.text, subject.language))
    return NOTE.format(reason=reason, said=said, language=NAMES[subject.language])


def checked(text: str, reason: str, *, complete: bool) -> str:
    """Return what may be sent of a model's text: whole sentences that pass the checks, up to the first question."""
    checks = ReplyChecks.against(" ".join((SYSTEM, NOTE.format(reason=reason, said="", language=""))))
    sentences = split(text)
    if not complete and len(sentences) > 1:
        del sentences[-1]
    kept: list[Sentence] = []
    for sentence in sentences:
        verdict = checks.verdict(sentence.text, [earlier.text for earlier in kept])
        if verdict is Verdict.STOP:
            break
        if verdict is Verdict.KEEP:
            kept.append(sentence)
        if len(kept) == MOST_SENTENCES or (kept and kept[-1].text.endswith(("?", "？"))):
            break
    return joined(kept)


def passes(text: str) -> bool:
    """Tell whether words that no model made may be sent: each sentence as a reply's must be."""
    checks = ReplyChecks.against(SYSTEM)
    return all(checks.verdict(sentence.text, ()) is Verdict.KEEP for sentence in split(text))


def coachs_words(history: Sequence[Past]) -> tuple[str, ...]:
    """Return what the coach said last."""
    return tuple(past.text for past in history if past.speaker is Speaker.COACH)[-3:]
