"""What will become due for one person, and what would be decided about it, if nothing changed until then.

The function that decides for the dispatch is asked at each instant to come, in order: what would leave counts for the
caps of what comes after, what is held is decided about again when its hold ends, and what leaves together is one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from coaching.app.check_ins.ports import Held
from coaching.domain.check_ins import Activity, CheckIn, Nudge, NudgeState
from coaching.domain.deliveries import Drop, Hold, Send
from coaching.domain.dispatching import Case, DueCheckIn, HeldNudge, Judged, Prepared, Rules, plan
from coaching.domain.quiet_hours import zone_of

MOST = 1000
MOST_HOLDS = 8  # of one nudge: what is held again and again (an unknown zone) is not followed for ever
_NOT_PREPARED = Prepared(None, None, 0, "", "")


@dataclass(frozen=True, slots=True)
class Planned:
    """One occasion to come."""

    due_at: datetime
    local_due: str  # on the wall clock, with its offset: "2026-11-24T08:30+01:00"
    trigger: str
    check_in_id: str
    verdict: str  # send, hold or drop
    reason: str = ""
    until: datetime | None = None  # when one that is held leaves, as far as is known
    nudge_id: str = ""  # of one that is held already


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan is made of."""

    case: Case
    check_ins: Sequence[CheckIn]
    held: Sequence[Held]
    activities: Mapping[str, Activity]


@dataclass(slots=True)
class _World:
    """Where things stand at one instant of the walk."""

    due: dict[str, CheckIn]  # by id, each with its next due time
    held: dict[str, HeldNudge] = field(default_factory=dict)  # by nudge's id
    nudged: dict[str, datetime] = field(default_factory=dict)  # by check-in's id: due time of what last left
    holds: Counter[str] = field(default_factory=Counter)  # by nudge's id
    sent: list[datetime] = field(default_factory=list)
    planned: dict[str, Planned] = field(default_factory=dict)  # by nudge's id


class Walk:
    """From now on through the time to come; `make` is called once."""

    def __init__(self, known: Known, rules: Rules, now: datetime) -> None:
        self._known = known
        self._now = now
        self._zones = {item.check_in_id: item.time_zone for item in known.check_ins}
        self._zones |= {item.nudge.check_in_id: item.time_zone for item in known.held}
        # Nudges that do not exist get names that no row has.
        numbers = count(1)
        self._rules = replace(rules, new_id=lambda: f"planned-{next(numbers):06}")
        self._there = {item.nudge.nudge_id for item in known.held}
        self._world = _World(
            due={item.check_in_id: item for item in known.check_ins if item.next_due_at and not item.paused},
            held={item.nudge.nudge_id: self._waiting(item) for item in known.held},
            sent=list(known.case.history.sent),
        )
        for item in known.held:
            self._world.planned[item.nudge.nudge_id] = self._planned(item.nudge, "hold", item.reason, item.look_at)

    def make(self, until: datetime, most: int = MOST) -> tuple[list[Planned], bool]:
        """Return what is due until then, earliest first, and whether there is more than `most`."""
        world = self._world
        while (at := self._next()) is not None and at <= until and len(world.planned) <= most:
            self._look(at)
        planned = sorted(world.planned.values(), key=lambda item: (item.due_at, item.check_in_id))
        return planned[:most], len(planned) > most

    def _next(self) -> datetime | None:
        times = [item.next_due_at for item in self._world.due.values() if item.next_due_at]
        times += [item.look_at for item in self._world.held.values()]
        return max(min(times), self._now) if times else None

    def _look(self, at: datetime) -> None:
        world = self._world
        due = [item for item in world.due.values() if item.next_due_at and item.next_due_at <= at]
        held = [
            item if item.check_in is None else replace(item, activity=self._activity(item.check_in))
            for item in world.held.values()
            if item.look_at <= at
        ]
        decided = plan(self._case(at, due, held), (at,), self._rules)
        for judged in decided.judged:
            self._apply(at, judged)
        for move in decided.moves:
            if move.next_due_at is None:
                del world.due[move.check_in_id]
            else:
                world.due[move.check_in_id] = replace(world.due[move.check_in_id], next_due_at=move.next_due_at)

    def _case(self, at: datetime, due: Sequence[CheckIn], held: Sequence[HeldNudge]) -> Case:
        case = self._known.case
        # Nobody knows whether a turn will be open then; until when the person has written is known.
        turn_open = case.history.turn_open and at <= self._now
        return replace(
            case,
            history=replace(case.history, sent=tuple(self._world.sent), turn_open=turn_open),
            due=tuple(DueCheckIn(item, self._activity(item), _NOT_PREPARED) for item in due),
            held=tuple(held),
        )

    def _activity(self, check_in: CheckIn) -> Activity:
        activities = self._known.activities
        found = activities.get(check_in.check_in_id) or activities.get("") or Activity()
        nudged = self._world.nudged.get(check_in.check_in_id)
        return found if nudged is None else replace(found, last_nudge_at=nudged)

    def _apply(self, at: datetime, judged: Judged) -> None:
        world, nudge = self._world, judged.nudge
        was = world.planned.get(nudge.nudge_id)
        world.held.pop(nudge.nudge_id, None)
        shown = self._planned(nudge, "send", "")
        match judged.decision:
            case Hold(until, reason):
                shown = self._planned(nudge, "hold", reason, until)
                world.holds[nudge.nudge_id] += 1
                if world.holds[nudge.nudge_id] < MOST_HOLDS:
                    check_in = self._check_in(nudge.check_in_id)
                    world.held[nudge.nudge_id] = HeldNudge(nudge, reason, until, _NOT_PREPARED, check_in=check_in)
            case Drop(reason):
                shown = self._planned(nudge, "drop", reason)
            case Send():
                world.sent.append(at)
                shown = was or shown  # one that was held until now is shown as the hold that it was
        if judged.state in (NudgeState.DISPATCHED, NudgeState.MERGED):
            world.nudged[nudge.check_in_id] = nudge.due_at
        world.planned[nudge.nudge_id] = shown

    def _planned(self, nudge: Nudge, verdict: str, reason: str, until: datetime | None = None) -> Planned:
        zone = zone_of(self._zones.get(nudge.check_in_id))
        local = nudge.due_at.astimezone(zone) if zone else nudge.due_at
        nudge_id = nudge.nudge_id if nudge.nudge_id in self._there else ""
        return Planned(
            nudge.due_at, local.isoformat(timespec="minutes"), nudge.trigger, nudge.check_in_id, verdict, reason, until,
            nudge_id,
        )  # fmt: skip

    def _waiting(self, item: Held) -> HeldNudge:
        check_in = self._check_in(item.nudge.check_in_id)
        refused = "check_in_removed" if check_in is None else "check_in_paused" if check_in.paused else ""
        return HeldNudge(item.nudge, item.reason, item.look_at, _NOT_PREPARED, refused, check_in)

    def _check_in(self, check_in_id: str) -> CheckIn | None:
        return next((item for item in self._known.check_ins if item.check_in_id == check_in_id), None)
