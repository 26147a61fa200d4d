"""What is asked of a model, and what comes back. Texts stay out of `repr`, so that no log can show them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Speaker(StrEnum):
    """Who said a message of the prompt."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Priority(IntEnum):
    """Who is served first: the higher."""

    BACKGROUND = 0
    INTERACTIVE = 1


class FinishReason(StrEnum):
    """Why a model ended."""

    STOP = "stop"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt."""

    speaker: Speaker
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion to generate. `schema` None: free text; `seed` None: not fixed; `cache_key` "": nobody returns."""

    messages: tuple[Message, ...]
    max_tokens: int = 256
    temperature: float = 0.0
    stop: tuple[str, ...] = field(default=(), repr=False)
    schema: Mapping[str, Any] | None = field(default=None, repr=False)
    priority: Priority = Priority.BACKGROUND
    cache_key: str = ""
    seed: int | None = None

    @property
    def system_text(self) -> str:
        """The leading system message, which many people share; "" when there is none."""
        first = self.messages[0]
        return first.text if first.speaker is Speaker.SYSTEM else ""


@dataclass(frozen=True, slots=True)
class Delta:
    """Text that has just been generated."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """The last thing that a provider says: why it ended, and its counts; `cached_tokens` are among the prompt's."""

    reason: FinishReason
    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int


@dataclass(frozen=True, slots=True)
class Queued:
    """Waiting; `ahead` others are served before."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Model:
    """Which model answers. `sha256` "": the provider does not tell; `context_tokens` 0: unknown."""

    name: str
    sha256: str
    provider: str
    free_prose: bool
    context_tokens: int
    keeps_prompts: bool = False  # a beginning that was read once is not read again


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a completion. Seconds count from asking the model; waiting in the line is not part of them."""

    ended: Ended
    model: Model
    first_token_seconds: float
    generation_seconds: float


Event = Queued | Delta | Finished
