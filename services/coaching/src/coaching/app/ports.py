"""What the use cases need from outside."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coaching.domain.deliveries import Delivery
from coaching.domain.dispatching import Case, Plan
from coaching.domain.ids import OrganizationId, PersonId
from coaching.domain.inbound import InboundOptOut, InboundReceipt, InboundText, Place
from coaching.domain.last_said import Said
from coaching.domain.last_word import LastWord, Outgoing
from coaching.domain.messages import ListedPerson, MemoryText, MessagePage
from coaching.domain.nudge_words import SentNudge
from coaching.domain.preparing import Unworded, Worded
from coaching.domain.prompt import Past, PromptMessage, Recalled
from coaching.domain.turn import Claim, Failure, ModelUse, OpenedTurn, TurnRecord


class StoreUnavailableError(ConnectionError):
    """The database cannot answer now: the same call may work later."""


class StoreRefusedError(ValueError):
    """The database will never take this: try again with something else."""


class ModelError(Exception):
    """The model gave no answer; `failure` says why in a word."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class MemoryUnavailableError(Exception):
    """The memory index did not answer; a turn goes on without it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What load_context finds."""

    history: tuple[Past, ...]  # from the conversation's history_from on, oldest first
    recent_turns: int  # of this person in the last minute
    has_memory: bool  # the index may hold something of this person


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Which model answers, and what it can be trusted with."""

    name: str
    sha256: str
    provider: str
    free_prose: bool
    context_tokens: int
    keeps_prompts: bool = False  # a beginning that it has read is not read again


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One generation; with json_schema the text is JSON of that schema. cache_key is an opaque id."""

    messages: tuple[PromptMessage, ...]
    max_tokens: int
    temperature: float
    cache_key: str
    json_schema: str = ""
    stop: tuple[str, ...] = ()
    background: bool = False  # whoever waits for an answer goes first


@dataclass(frozen=True, slots=True)
class Waiting:
    """The request stands in a queue behind `ahead` others."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Words:
    """The next piece of text."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event; `complete` is False where the length limit cut the text off."""

    use: ModelUse
    complete: bool


ModelEvent = Waiting | Words | Finished


class Model(Protocol):
    """The language model. Raises ModelError."""

    async def describe(self) -> ModelCard: ...

    def generate(self, request: ModelRequest, seconds: float) -> AsyncGenerator[ModelEvent, None]: ...


class Memory(Protocol):
    """The index of what a person said. Raises MemoryUnavailableError."""

    async def search(
        self, organization_id: OrganizationId, person_id: PersonId, query: str, limit: int, exclude: Sequence[str]
    ) -> list[Recalled]: ...

    async def upsert(self, people: Sequence[Sequence[MemoryText]]) -> Sequence[str | MemoryUnavailableError]:
        """Index texts, each sequence of one person; return for each the embedder's name, or what stood against it."""


class Live(Protocol):
    """What a connected page sees at once. It may be lost, and it never fails a turn."""

    async def queued(self, place: Place, turn_id: str, ahead: int) -> None: ...

    async def thinking(self, place: Place, turn_id: str) -> None: ...

    async def delta(self, place: Place, turn_id: str, text: str, index: int) -> None: ...


class Inbox(Protocol):
    """Where inbound events are taken in, each exactly once; one transaction a call."""

    async def take_texts(self, organization_id: OrganizationId, texts: Sequence[InboundText]) -> list[Place]:
        """Store the texts that are new; return the conversations that wait for an answer because of them."""

    async def take_receipts(self, organization_id: OrganizationId, receipts: Sequence[InboundReceipt]) -> set[str]:
        """Move deliveries forward; return the provider message ids that belong to one."""

    async def take_opt_outs(self, organization_id: OrganizationId, opt_outs: Sequence[InboundOptOut]) -> None: ...


class Claims(Protocol):
    """The right to work on conversations, for a while."""

    async def claim(self, limit: int) -> list[Claim]: ...

    async def extend(self, claims: Sequence[Claim]) -> set[Claim]:
        """Make the leases last; return the claims that are still ours."""

    async def release(self, claim: Claim, delay_seconds: float, *, failed: bool) -> None:
        """Give a conversation back unanswered; one that did not fail does not count as an attempt."""


class Turns(Protocol):
    """Turns in the database."""

    async def open(self, claims: Sequence[Claim]) -> list[OpenedTurn]:
        """Return the claimed conversations with their waiting messages; one with none is let go, and left out."""

    async def context(self, opened: OpenedTurn) -> Context: ...

    async def record(self, record: TurnRecord) -> bool:
        """Write a turn in one transaction; False, and nothing written, where the claim is no longer ours."""


class SentNudges(Protocol):
    """What the coach wrote first."""

    async def newest(self, organization_id: OrganizationId, person_id: PersonId) -> SentNudge | None:
        """Return the newest nudge that reached a person, or may have; None where there is none."""


class Preparing(Protocol):
    """Check-ins whose words are made ahead."""

    async def claim(self, at: datetime, limit: int) -> list[Unworded]:
        """Take, for a while, up to `limit` check-ins of any organisation whose turn it is at `at`."""

    async def keep(self, item: Unworded, worded: Worded | None, look_again_at: datetime | None) -> bool:
        """Store words, or with None leave what there is; False, nothing written, where somebody else has the say.

        `look_again_at`: when they are looked at again; None: not before the next due time's turn.
        """


class LockedDeliveries(Protocol):
    """Deliveries that nobody else can change until the transaction ends."""

    @property
    def found(self) -> Mapping[str, Delivery]: ...

    async def outgoing(self, delivery_ids: Sequence[str], now: datetime) -> tuple[datetime, Mapping[str, Outgoing]]:
        """Lock the persons of these proactive deliveries; return the database's clock, and what decides about each."""

    async def tell(self, words: Sequence[LastWord], now: datetime) -> None:
        """Keep what was decided, and take back what does not leave."""

    async def write(self, changed: Sequence[Delivery], owner: str) -> None: ...

    async def recipients_gone(self, delivery_ids: Sequence[str], at: datetime) -> None: ...

    async def publish_again(self, delivery_ids: Sequence[str]) -> None: ...


class Deliveries(Protocol):
    """Deliveries in the database."""

    def locked(
        self, organization_id: str, delivery_ids: Sequence[str]
    ) -> AbstractAsyncContextManager[LockedDeliveries]: ...

    def locked_for(
        self, organization_id: str, delivery_ids: Sequence[str], sender: str
    ) -> AbstractAsyncContextManager[LockedDeliveries]:
        """Lock them, and look which replies would overtake another that `sender` does not have."""

    async def claim_to_sweep(self, limit: int) -> dict[str, list[str]]:
        """Return the ids, by organisation, of deliveries that somebody must look after."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of one nudge that is dispatched, and the ids that it goes by."""

    nudge_id: str
    message_id: str
    delivery_id: str
    text: str
    source: str  # model or template


@dataclass(frozen=True, slots=True)
class Talked:
    """What was said lately: by the person, where a model's words answered it, and by the coach; newest first."""

    said: tuple[Said, ...] = ()
    spoken: tuple[str, ...] = ()


class DuePersons(Protocol):
    """Persons for whom something is due; nobody else decides about them until the transaction ends."""

    @property
    def cases(self) -> Sequence[Case]: ...

    @property
    def database_now(self) -> datetime:
        """The database's clock, just read."""

    async def talked(self, person_ids: Sequence[str]) -> Mapping[str, Talked]: ...

    async def write(
        self, plans: Sequence[Plan], spoken: Sequence[Spoken], now: datetime, not_after: datetime
    ) -> set[str]:
        """Write all of it; return the nudges that were written: an occasion that has had its nudge gets no other."""


class Schedule(Protocol):
    """Check-ins and held nudges, by when they are due. `world_seconds`: what a test adds to every clock."""

    async def organizations_due(self, at: datetime, world_seconds: float) -> tuple[datetime, list[str]]:
        """Return the database's time, and the organisations in which something is due at `at` and by that time."""

    def due(
        self, organization_id: str, at: datetime, world_seconds: float, most: int
    ) -> AbstractAsyncContextManager[DuePersons | None]:
        """Lock up to `most` persons for whom something is due by `at` and by the database's clock; None: nobody."""

    async def put_off(self, organization_id: str, person_ids: Sequence[str], at: datetime, until: datetime) -> None:
        """Look again at `until` after what was due for these persons at `at`."""


class MemoryQueue(Protocol):
    """Texts that the memory index does not hold yet."""

    async def claim(self, limit: int) -> list[MemoryText]: ...

    async def remembered(self, texts: Sequence[MemoryText], embedding_model: str) -> None:
        """Note that the index holds these texts, all of one organisation."""

    async def postponed(self, texts: Sequence[MemoryText]) -> None:
        """Try again later, after longer with each failure; all of one organisation."""


class Reading(Protocol):
    """Lists for others."""

    async def messages(self, organization_id: str, place: tuple[str, str, str], before: str, limit: int) -> MessagePage:
        """`place` is channel, account and sender id; `before` a message id, or empty for the newest."""

    async def people(self, organization_id: str, after: str, limit: int) -> tuple[list[ListedPerson], bool]: ...

    async def organizations(self) -> list[str]: ...

    async def texts(self, organization_id: str, person_id: str, after: int, limit: int) -> tuple[list[MemoryText], int]:
        """Return a page of texts for the index, and the position to go on after."""


class Waker(Protocol):
    """Something that looks for work now and then, and can be told that there is some."""

    def wake(self, after_seconds: float = 0.0) -> None: ...
