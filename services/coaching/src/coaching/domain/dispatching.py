"""What becomes of one person's check-ins that are due and nudges that are held: plain data in, plain data out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from coaching.domain.check_ins import Activity, CheckIn, Nudge, NudgeState
from coaching.domain.deliveries import Decision, Drop, Hold, Send
from coaching.domain.due import due, next_due
from coaching.domain.facts import facts_of
from coaching.domain.ids import PersonId
from coaching.domain.merging import merged
from coaching.domain.proactive import Channel, History, Limits, Occasion, Person, decide_at

# A nudge that is held again for the same reason is not told of anew, unless it takes this much longer.
TOLD_AGAIN = timedelta(minutes=15)
LAST = 1_000_000  # rank of a trigger that this release does not know


class Reason(Protocol):
    """What deciding must know of a trigger."""

    @property
    def rank(self) -> int: ...

    def earliest(self, check_in: CheckIn, activity: Activity) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """The conversation that a nudge goes to."""

    conversation_id: str
    channel: str
    account: str
    address: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Words made ahead of a due time; `position`: the newest message of the person that they know of."""

    due_at: datetime | None
    at: datetime | None
    position: int
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class DueCheckIn:
    """A check-in whose time has come."""

    check_in: CheckIn
    activity: Activity
    prepared: Prepared


@dataclass(frozen=True, slots=True)
class HeldNudge:
    """A nudge that waited, and is looked at again; `refused`: why its check-in lets it go no more, or empty."""

    nudge: Nudge
    reason: str
    look_at: datetime
    prepared: Prepared
    refused: str = ""
    check_in: CheckIn | None = None  # None: it is gone
    activity: Activity = field(default_factory=Activity)


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of a person for whom something is due."""

    person_id: PersonId
    locale: str
    person: Person
    channel: Channel
    history: History
    place: Place | None
    newest: int  # position of the person's newest message
    due: tuple[DueCheckIn, ...] = ()
    held: tuple[HeldNudge, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A nudge, what was decided about it, and what becomes of it."""

    nudge: Nudge
    decision: Decision
    state: NudgeState
    prepared: Prepared
    new: bool
    told: bool = True  # this decision is kept, since it says something new
    merged_into: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A check-in's next due time after `was`; `broken`: its rule cannot be followed."""

    check_in_id: str
    was: datetime
    next_due_at: datetime | None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is written about one person."""

    case: Case
    judged: tuple[Judged, ...]
    moves: tuple[Move, ...]

    @property
    def speaking(self) -> Judged | None:
        """Return the nudge that is dispatched, if any."""
        return next((item for item in self.judged if item.state is NudgeState.DISPATCHED), None)


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides beside the facts."""

    triggers: Mapping[str, Reason]
    limits: Limits
    new_id: Callable[[], str]


def plan(case: Case, moments: Sequence[datetime], rules: Rules) -> Plan:
    """Decide about one person, now being any of `moments`; at most one nudge is dispatched."""
    judged: list[Judged] = []
    moves: list[Move] = []
    for item in case.due:
        found, move = _fallen_due(case, item, moments, rules)
        moves.append(move)
        judged += [found] if found is not None else []
    judged += [_looked_at(case, item, moments, rules) for item in case.held]
    return Plan(case, tuple(_merged(judged, rules)), tuple(moves))


def _fallen_due(case: Case, item: DueCheckIn, moments: Sequence[datetime], rules: Rules) -> tuple[Judged | None, Move]:
    check_in, activity, now = item.check_in, item.activity, min(moments)
    was = check_in.next_due_at or now
    trigger = rules.triggers.get(check_in.trigger, _ANY)
    try:
        due_at = due(check_in, trigger, activity, now)
        if due_at is None:
            return None, Move(check_in.check_in_id, was, next_due(check_in, trigger, activity, now))
        judged = _judged(case, item, due_at, moments, rules)
        if not isinstance(judged.decision, Drop):
            activity = Activity(activity.last_message_at, due_at)
        following = next_due(check_in, trigger, activity, due_at)
        if following is not None and following <= now:
            following = next_due(check_in, trigger, activity, now)
        return judged, Move(check_in.check_in_id, was, following)
    except (ValueError, OverflowError):
        # Not one that this release has checked: it must not hold up the others.
        return None, Move(check_in.check_in_id, was, None, broken=True)


def _judged(case: Case, item: DueCheckIn, due_at: datetime, moments: Sequence[datetime], rules: Rules) -> Judged:
    check_in = item.check_in
    nudge = Nudge(rules.new_id(), check_in.check_in_id, check_in.person_id, check_in.trigger, check_in.catch_up, due_at)
    decision = _decision(case, nudge, moments, rules)
    facts = _facts(case, nudge, moments)
    return Judged(nudge, decision, _state(decision), item.prepared, new=True, why=why_of(check_in), facts=facts)


def _looked_at(case: Case, item: HeldNudge, moments: Sequence[datetime], rules: Rules) -> Judged:
    refused = item.refused or _over(item, rules)
    decision = Drop(refused) if refused else _decision(case, item.nudge, moments, rules)
    told = not (
        isinstance(decision, Hold) and decision.reason == item.reason and decision.until - item.look_at < TOLD_AGAIN
    )
    facts = _facts(case, item.nudge, moments)
    return Judged(item.nudge, decision, _state(decision), item.prepared, new=False, told=told, facts=facts)


def _over(item: HeldNudge, rules: Rules) -> str:
    """Return a reason where the trigger does not agree any more: what it waited to say is true no longer."""
    trigger = rules.triggers.get(item.nudge.trigger)
    if trigger is None or item.check_in is None:
        return ""
    earliest = trigger.earliest(item.check_in, item.activity)
    return "no_longer_due" if earliest is not None and item.nudge.due_at < earliest else ""


def _facts(case: Case, nudge: Nudge, moments: Sequence[datetime]) -> Mapping[str, str]:
    return facts_of(min(moments), Occasion(nudge.due_at, nudge.catch_up), case.person, case.history)


def _decision(case: Case, nudge: Nudge, moments: Sequence[datetime], rules: Rules) -> Decision:
    if nudge.trigger not in rules.triggers:
        return Drop("trigger_unknown")
    occasion = Occasion(nudge.due_at, nudge.catch_up)
    return decide_at(moments, occasion, case.person, case.channel, case.history, rules.limits)


def _state(decision: Decision) -> NudgeState:
    match decision:
        case Send():
            return NudgeState.DISPATCHED
        case Hold():
            return NudgeState.HELD
        case Drop():
            return NudgeState.DROPPED


def _merged(judged: Sequence[Judged], rules: Rules) -> list[Judged]:
    sends = [item for item in judged if item.state is NudgeState.DISPATCHED]
    if len(sends) < 2:
        return list(judged)

    def key(item: Judged) -> tuple[int, datetime, str]:
        trigger = rules.triggers.get(item.nudge.trigger)
        return trigger.rank if trigger else LAST, item.nudge.due_at, item.nudge.nudge_id

    first, others = merged(sends, key)
    into = first.nudge.nudge_id
    quiet = {item.nudge.nudge_id for item in others}
    return [
        replace(item, decision=Drop("merged"), state=NudgeState.MERGED, merged_into=into)
        if item.nudge.nudge_id in quiet
        else item
        for item in judged
    ]


def why_of(check_in: CheckIn) -> dict[str, str]:
    """Return the check-in as it is, for whoever asks later why something came; no word of a person."""
    why = {
        "rule": check_in.rule, "local_time": check_in.local_time.isoformat("minutes"),
        "time_zone": check_in.time_zone, "catch_up": check_in.catch_up.value,
    }  # fmt: skip
    return {**why, "after_days": str(check_in.after_days)} if check_in.after_days else why


class _Any:
    """Stands for a trigger that this release does not know: its check-ins go on, and nothing leaves."""

    rank = LAST

    def earliest(self, check_in: CheckIn, activity: Activity) -> datetime | None:  # noqa: ARG002  # as every trigger
        return None


_ANY = _Any()
