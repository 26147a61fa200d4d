"""Words for check-ins that will be due in some minutes, made while nobody waits for them."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from coaching.app.ports import Finished, Model, ModelCard, ModelError, ModelRequest, Preparing, Words
from coaching.app.steps.plan import STOPS
from coaching.app.trigger import Trigger, Triggers
from coaching.domain import prompt
from coaching.domain.preparing import (
    FEWEST_SECONDS,
    Subject,
    Unworded,
    Worded,
    checked,
    coachs_words,
    look_again_in,
    note_of,
    passes,
)
from coaching.domain.prompt import history_start
from coaching.domain.turn import Source
from coaching.metrics import PREPARED
from kit import log
from kit.clock import Clock

SIDE_BY_SIDE = 8  # of one replica: whoever waits for an answer goes first at the model in any case
SECONDS = 60.0  # for the model; the claim's lease is longer
LOOK_AGAIN_SECONDS = 60.0  # whether the person has written since, and whether a model that was away is back
_log = log.get_logger("coaching.prepare")


@dataclass(frozen=True, slots=True)
class PrepareLimits:
    """What bounds a prompt and its answer."""

    history_characters: int
    reply_tokens: int


class Prepare:
    """The work of a loop: a few check-ins at a time. A template is kept at once and stays where no model helps."""

    def __init__(
        self, preparing: Preparing, model: Model, triggers: Triggers, clock: Clock, limits: PrepareLimits
    ) -> None:
        self._preparing = preparing
        self._model = model
        self._triggers = triggers
        self._clock = clock
        self._limits = limits

    async def __call__(self) -> int:
        """Look after the check-ins whose turn it is; return how many those were."""
        claimed = await self._preparing.claim(self._clock.now(), SIDE_BY_SIDE)
        outcomes = await asyncio.gather(*(self._look_after(item) for item in claimed), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            PREPARED.labels(outcome).inc()
        return len(claimed)

    async def _look_after(self, item: Unworded) -> str:
        due_at = item.check_in.next_due_at
        trigger = self._triggers.get(item.check_in.trigger)
        if due_at is None or trigger is None or not self._will_speak(item, due_at, trigger):
            await self._preparing.keep(item, None, None)
            return "skipped"
        card = await self._card()
        by_model = card is not None and card.free_prose
        if item.fresh and not (by_model and item.made.source is Source.TEMPLATE):
            await self._preparing.keep(item, None, self._look_again_at(due_at))
            return "fresh"
        worded = await self._worded(item, due_at, trigger, card if by_model else None)
        kept = await self._preparing.keep(item, worded, self._look_again_at(due_at))
        return worded.source.value if kept else "lost"

    def _will_speak(self, item: Unworded, due_at: datetime, trigger: Trigger) -> bool:
        """Tell whether words are needed at all; whether they may leave is decided when they are due."""
        earliest = trigger.earliest(item.check_in, item.activity)
        too_late = self._left(due_at) < FEWEST_SECONDS
        return item.may_be_written_to and not too_late and (earliest is None or earliest <= due_at)

    async def _card(self) -> ModelCard | None:
        try:
            return await self._model.describe()
        except ModelError:
            return None

    async def _worded(self, item: Unworded, due_at: datetime, trigger: Trigger, card: ModelCard | None) -> Worded:
        subject = Subject.of(item, due_at)
        if card is not None:
            text = await self._by_model(item, due_at, trigger.instructions(), card, subject)
            if text:
                return Worded(text, Source.MODEL, self._clock.now())
        spoken = coachs_words(item.history)
        text = trigger.template(subject.language, subject.reference, spoken)
        text = text if passes(text) else trigger.template(subject.language, None, spoken)
        return Worded(text, Source.TEMPLATE, self._clock.now())

    async def _by_model(self, item: Unworded, due_at: datetime, reason: str, card: ModelCard, subject: Subject) -> str:
        """Return the model's own words, or "" where there are none that may be sent in time."""
        request = self._request(item, note_of(reason, subject), card)
        seconds = min(SECONDS, self._left(due_at) - 1)
        text, complete = "", False
        try:
            async with asyncio.timeout(seconds), aclosing(self._model.generate(request, seconds)) as events:
                async for event in events:
                    match event:
                        case Words(piece):
                            text += piece
                        case Finished():
                            complete = event.complete
        except (ModelError, TimeoutError) as error:
            _log.info("preparing_without_model", reason=log.error_name(error))
            return ""
        return checked(text, reason, complete=complete)

    def _request(self, item: Unworded, note: str, card: ModelCard) -> ModelRequest:
        """Return what the model reads: the prompt of the person's next turn, with a note where their words would be."""
        limits = self._limits
        shown = item.history[history_start(item.history, limits.history_characters) :]
        room = (card.context_tokens - limits.reply_tokens - prompt.MARGIN_TOKENS) * prompt.BYTES_PER_TOKEN
        messages = prompt.rendered(shown, note, room if card.context_tokens else None)
        return ModelRequest(messages, limits.reply_tokens, 0.7, item.conversation_id, stop=STOPS, background=True)

    def _left(self, due_at: datetime) -> float:
        return (due_at - self._clock.now()).total_seconds()

    def _look_again_at(self, due_at: datetime) -> datetime | None:
        seconds = look_again_in(self._left(due_at), LOOK_AGAIN_SECONDS)
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)
