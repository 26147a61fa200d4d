"""A turn from its first step to its last: this file is the list."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import ParamSpec, TypeVar

from coaching.app.ports import Live, Memory, Model, SentNudges, Turns
from coaching.app.steps.check_reply import check_reply
from coaching.app.steps.consent import consent
from coaching.app.steps.generate import Release, generate
from coaching.app.steps.handed_over import confirmation, confirmed_after, handed_over
from coaching.app.steps.identify import Who, identify
from coaching.app.steps.load_context import load_context
from coaching.app.steps.opt_out import Orders, opt_out
from coaching.app.steps.plan import PlanLimits, plan
from coaching.app.steps.recall import RecallLimits, recall
from coaching.app.steps.record import record
from coaching.app.steps.screen_for_crisis import screen_for_crisis
from coaching.app.steps.why_written import why_written
from coaching.app.trigger import Triggers
from coaching.domain.commands import Command
from coaching.domain.inbound import Place
from coaching.domain.people import PersonChange
from coaching.domain.prepared import prepared_for
from coaching.domain.turn import Failure, OpenedTurn, Reply, Source, StepTrace, TurnRecord
from coaching.metrics import STEP_SECONDS
from kit import faultpoints, log, tracing
from kit.clock import Clock

P = ParamSpec("P")
R = TypeVar("R")
MAX_ATTEMPTS = 5  # a turn that has failed this often is answered without the steps that may be the cause
RECORD_SECONDS = 5.0  # of a turn's time, kept for its end; of a short one a quarter


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What bounds a turn."""

    seconds: float
    history_characters: int
    recall: RecallLimits
    plan: PlanLimits


@dataclass(frozen=True, slots=True)
class SpokenFirst:
    """What the coach wrote first, and the reasons that there are for it."""

    nudges: SentNudges
    triggers: Triggers


@cache
def _observer(step: str) -> Callable[[float], None]:
    return STEP_SECONDS.labels(step).observe


@dataclass(slots=True)
class Walk:
    """Runs steps by their names, and remembers how long each took and how it ended."""

    clock: Clock
    begun: float
    traces: list[StepTrace] = field(default_factory=list)

    async def __call__(self, step: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run one step."""
        name = step.__name__
        begun = self.clock.monotonic()
        outcome = "ok"
        try:
            with tracing.span(f"turn.{name}"):
                faultpoints.reached(f"step_{name}", args)
                return await step(*args, **kwargs)
        except BaseException as error:
            outcome = log.error_name(error)
            raise
        finally:
            seconds = self.clock.monotonic() - begun
            _observer(name)(seconds)
            self.traces.append(StepTrace(name, round(seconds * 1000, 2), outcome))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the steps before the last one came to."""

    reply: Reply
    change: PersonChange
    person_side: str | None = None
    history_from: int | None = None


class TakeTurn:
    """Answers one conversation's waiting messages, once."""

    def __init__(
        self,
        turns: Turns,
        model: Model,
        memory: Memory,
        live: Live,
        clock: Clock,
        limits: TurnLimits,
        past: SpokenFirst,
    ) -> None:
        self._turns = turns
        self._model = model
        self._memory = memory
        self._live = live
        self._clock = clock
        self._limits = limits
        self._past = past

    async def __call__(self, opened: OpenedTurn) -> TurnRecord | None:
        """Walk the steps; return what was recorded, or None where the claim was lost. Raises what a step raises."""
        walk = Walk(self._clock, self._clock.monotonic())
        place = _place(opened)
        await self._live.thinking(place, opened.turn_id)
        orders = await walk(opt_out, opened.messages)
        who = await walk(identify, opened, orders)
        notice = await walk(consent, who)
        alarm = await walk(screen_for_crisis, orders.rest, who)
        told = await walk(why_written, self._past.nudges, self._past.triggers, opened, who, orders)
        held = await walk(handed_over, who, orders, told)
        opening = _opening(notice, who, orders, told)
        if alarm is not None:
            answer = Answer(confirmed_after(alarm, who, orders), replace(orders.change, crisis_hold=True))
        elif held is not None:
            answer = _held(confirmed_after(held, who, orders), notice, orders)
        elif opened.conversation.attempts > MAX_ATTEMPTS:
            answer = _given_up(notice, opening, who, orders)
        else:
            answer = await self._coach(walk, opened, orders, who, opening)
            answer = replace(answer, change=_told(orders.change, notice))
        done = _record_of(opened, orders, answer, walk)
        return done if await walk(record, self._turns, done) else None

    async def _coach(self, walk: Walk, opened: OpenedTurn, orders: Orders, who: Who, opening: str | None) -> Answer:
        limits = self._limits
        loaded = await walk(load_context, self._turns, opened, limits.history_characters)
        recalled = await walk(recall, self._memory, opened, orders.rest, loaded, limits.recall)
        planned = await walk(plan, self._model, opened, orders.rest, who, loaded, recalled, limits.plan)
        release = Release(self._live, _place(opened), opened.turn_id)
        left = limits.seconds - min(RECORD_SECONDS, limits.seconds / 4) - (self._clock.monotonic() - walk.begun)
        spoken = await walk(generate, self._model, release, planned, opening, max(left, 0.1))
        reply = await walk(check_reply, spoken, who)
        # A turn without words of the model is kept out of prompts: both sides, so that they alternate.
        side = planned.person_side if reply.source is Source.MODEL else None
        return Answer(reply, orders.change, side, loaded.history_from)


def _place(opened: OpenedTurn) -> Place:
    at = opened.conversation
    return Place(at.channel, at.account, at.address)


def _told(change: PersonChange, notice: str | None) -> PersonChange:
    return replace(change, notice_given=notice is not None)


def _opening(notice: str | None, who: Who, orders: Orders, told: str | None) -> str | None:
    """Return what stands before a coached reply: the notice, that a STOP or START was obeyed, why the coach wrote."""
    parts = [words for words in (notice, confirmation(who, orders), told) if words is not None]
    return "\n\n".join(parts) or None


def _held(reply: Reply, notice: str | None, orders: Orders) -> Answer:
    """Begin the answer to a first START with the notice; other prepared words stand alone."""
    if notice is None or reply.source is not Source.COMMAND or orders.commands[-1] is not Command.START:
        return Answer(reply, orders.change)
    return Answer(replace(reply, text=f"{notice}\n\n{reply.text}"), _told(orders.change, notice))


def _given_up(notice: str | None, opening: str | None, who: Who, orders: Orders) -> Answer:
    words = prepared_for(Failure.ATTEMPTS_EXHAUSTED, who.language)
    text = words if opening is None else f"{opening}\n\n{words}"
    return Answer(Reply(text, Source.TEMPLATE, Failure.ATTEMPTS_EXHAUSTED), _told(orders.change, notice))


def _record_of(opened: OpenedTurn, orders: Orders, answer: Answer, walk: Walk) -> TurnRecord:
    reply = answer.reply
    # Nothing of a crisis turn is ever indexed; commands and empty texts are not worth it.
    coached = reply.source in (Source.MODEL, Source.TEMPLATE)
    remembered = tuple(message.message_id for message in orders.rest if coached and message.has_words)
    return TurnRecord(
        opened=opened,
        reply=reply,
        change=answer.change,
        steps=tuple(walk.traces),
        prompt_text=answer.person_side,
        remembered=remembered,
        remember_reply=reply.source is Source.MODEL,
        history_from=opened.conversation.history_from if answer.history_from is None else answer.history_from,
        trace=tracing.current(),
    )
