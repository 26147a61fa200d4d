"""A turn: all the unanswered messages of one conversation, and the one answer to them."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from coaching.domain.ids import ConversationId, MessageId, OrganizationId, TurnId
from coaching.domain.people import Person, PersonChange

# Characters that leave nothing on the page: separators, controls, direction and joining, marks without their letter
# (variation selectors are such), and four letters that are blank by definition.
_UNSEEN = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me"))
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class Source(StrEnum):
    """Who worded a reply."""

    MODEL = "model"
    TEMPLATE = "template"
    CRISIS = "crisis"
    COMMAND = "command"


class Failure(StrEnum):
    """Why a turn was answered without the model; also the label of a metric."""

    MODEL_UNAVAILABLE = "model_unavailable"
    MODEL_BUSY = "model_busy"
    MODEL_TIMEOUT = "model_timeout"
    MODEL_REFUSED = "model_refused"  # the request itself was not accepted
    MODEL_INTERRUPTED = "model_interrupted"  # it failed after sentences had been released
    NOTHING_USABLE = "nothing_usable"  # no sentence passed the checks
    RATE_LIMITED = "rate_limited"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    NO_TEXT = "no_text"  # only files came
    NOTHING_SEEN = "nothing_seen"  # not even files: a text of invisible characters


@dataclass(frozen=True, slots=True)
class Claim:
    """One conversation that is ours until its lease ends; an older token than the row's writes nothing."""

    organization_id: OrganizationId
    conversation_id: ConversationId
    token: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where somebody writes from, and where the answer goes."""

    conversation_id: ConversationId
    channel: str
    account: str
    address: str
    attempts: int = 1  # claims since the last answer, this one included
    history_from: int = 0  # position of the first message that prompts still show


@dataclass(frozen=True, slots=True)
class Pending:
    """A message that waits for its answer, in the provider's order."""

    message_id: MessageId
    text: str
    files: int = 0
    trace: str = ""  # the traceparent that it came with

    @property
    def has_words(self) -> bool:
        """Whether there is anything in the text that a person can see."""
        return any(char not in _BLANK and unicodedata.category(char) not in _UNSEEN for char in self.text)


@dataclass(frozen=True, slots=True)
class OpenedTurn:
    """What a turn begins with."""

    claim: Claim
    turn_id: TurnId
    conversation: Conversation
    person: Person
    messages: tuple[Pending, ...]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Which model worded a reply, and what it cost."""

    name: str
    sha256: str
    provider: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `prompt_text` is how later prompts show it; None keeps it out of them."""

    text: str
    source: Source
    failure: Failure | None = None
    use: ModelUse | None = None
    prompt_text: str | None = None


@dataclass(frozen=True, slots=True)
class StepTrace:
    """How long one step took, and how it ended: ok, or the name of an error."""

    step: str
    milliseconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """Everything that one transaction writes at the end of a turn."""

    opened: OpenedTurn
    reply: Reply
    change: PersonChange
    steps: tuple[StepTrace, ...]
    prompt_text: str | None  # the person's side as the prompt showed it
    remembered: tuple[MessageId, ...]  # messages of the person that the memory index shall hold
    remember_reply: bool
    history_from: int
    trace: str = ""  # what the reply's delivery goes on with
