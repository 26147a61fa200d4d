"""May the coach write first, now? One pure function, asked last on every path; it fails closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from coaching.domain.check_ins import CatchUp
from coaching.domain.deliveries import Decision, Drop, Hold, Send
from coaching.domain.quiet_hours import QuietHours, allowed_from, instant_of, zone_of

ASK_AGAIN = timedelta(hours=1)
SOON = timedelta(minutes=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
# After so long nobody wants to be asked about it any more, whatever the check-in's policy.
STALE_ONCE = timedelta(hours=24)
STALE_WINDOW = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person at the moment of sending."""

    time_zone: str | None
    quiet: QuietHours
    told: bool  # the notice of what this is was given
    stopped: bool
    snoozed_until: datetime | None
    crisis_hold: bool
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """What the channel allows."""

    gone: bool  # the person left the channel itself
    window_closes_at: datetime | None = None  # None: one may always write


@dataclass(frozen=True, slots=True)
class History:
    """What happened between the person and the coach."""

    sent: tuple[datetime, ...]  # proactive messages of the last 8 days that left, or may have
    last_inbound_at: datetime | None
    turn_open: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How often the coach may speak first, and what still counts as a conversation, or as punctual."""

    per_day: int
    per_week: int
    live: timedelta
    grace: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The reason to write: when it fell due, and what becomes of it when it is late."""

    due_at: datetime
    catch_up: CatchUp


def decide(
    now: datetime, occasion: Occasion, person: Person, channel: Channel, history: History, limits: Limits
) -> Decision:
    """Return whether a proactive message may leave at `now`; a Hold ends after `now`."""
    if refusal := _refusal(person, channel):
        return Drop(refusal)
    zone = zone_of(person.time_zone)
    if zone is None:
        return Hold(now + ASK_AGAIN, "zone_unknown")
    if now < occasion.due_at:
        return Hold(occasion.due_at, "not_yet")
    first = allowed_from(occasion.due_at, zone, person.quiet)
    lateness = _Lateness(first, occasion.catch_up, person.quiet, zone, limits.grace)
    decision = (
        _wait(now, person, history)
        or lateness.verdict(now)
        or _quiet(now, zone, person.quiet)
        or _live(now, history, limits)
        or _cap(now, zone, history, limits)  # last: what waits until tomorrow counts among tomorrow's
    )
    if isinstance(decision, Hold) and (reason := lateness.too_late(decision.until)):
        return Drop(reason)
    if decision is None and channel.window_closes_at is not None and now >= channel.window_closes_at:
        return Drop("window_closed")
    return decision or Send()


def decide_at(
    moments: Sequence[datetime], occasion: Occasion, person: Person, channel: Channel, history: History, limits: Limits
) -> Decision:
    """Decide where nobody knows which of `moments` is now: what one of them forbids does not leave."""
    if not moments:
        raise ValueError("decide_at needs a moment")
    decisions = [decide(now, occasion, person, channel, history, limits) for now in moments]
    drops = [decision for decision in decisions if isinstance(decision, Drop)]
    holds = [decision for decision in decisions if isinstance(decision, Hold)]
    if len(drops) == len(decisions):
        return drops[0]
    if holds:
        return max(holds, key=lambda hold: hold.until)
    # By one clock it may leave, by another never: the clocks have to agree first.
    return Hold(max(moments) + SOON, "clocks_disagree") if drops else Send()


def _refusal(person: Person, channel: Channel) -> str | None:
    """Return what forbids it at any time."""
    for forbidden, reason in (
        (person.stopped, "stopped"),
        (not person.told, "no_consent"),
        (channel.gone, "recipient_gone"),
        (person.crisis_hold, "crisis_hold"),
        (person.handed_over, "handed_over"),
    ):
        if forbidden:
            return reason
    return None


def _wait(now: datetime, person: Person, history: History) -> Hold | None:
    newest = max(history.sent, default=now)
    if newest > now:
        return Hold(newest + timedelta(seconds=1), "clock_went_back")
    if person.snoozed_until is not None and now < person.snoozed_until:
        return Hold(person.snoozed_until, "snoozed")
    return None


def _cap(now: datetime, zone: ZoneInfo, history: History, limits: Limits) -> Drop | None:
    today = now.astimezone(zone).date()
    if sum(at.astimezone(zone).date() == today for at in history.sent) >= limits.per_day:
        return Drop("day_cap")
    return Drop("week_cap") if sum(now - at < WEEK for at in history.sent) >= limits.per_week else None


def _quiet(now: datetime, zone: ZoneInfo, quiet: QuietHours) -> Hold | None:
    allowed = allowed_from(now, zone, quiet)
    return Hold(allowed, "quiet_hours") if allowed > now else None


def _live(now: datetime, history: History, limits: Limits) -> Hold | None:
    over = history.last_inbound_at + limits.live if history.last_inbound_at is not None else now
    if history.turn_open:
        return Hold(max(over, now + SOON), "live_conversation")
    return Hold(over, "live_conversation") if over > now else None


@dataclass(frozen=True, slots=True)
class _Lateness:
    """How late an occasion is, and what its policy makes of that; what falls due in quiet hours is due at their end."""

    first: datetime
    catch_up: CatchUp
    quiet: QuietHours
    zone: ZoneInfo
    grace: timedelta

    def verdict(self, now: datetime) -> Hold | Drop | None:
        if reason := self.too_late(now):
            return Drop(reason)
        late = now - self.first > self.grace
        if self.catch_up is not CatchUp.NEXT_WINDOW or not late or self.quiet.start == self.quiet.end:
            return None
        # It leaves while one of the next mornings is as young as a punctual message may be.
        ends = self._ends_of_quiet_hours(now)
        if now - max(end for end in ends if end <= now) <= self.grace:
            return None
        return Hold(min(end for end in ends if end > now), "next_window")

    def too_late(self, at: datetime) -> str | None:
        """Return why it may not leave at `at` or later; None where it may."""
        late = at - self.first
        match self.catch_up:
            case CatchUp.SKIP:
                return "missed" if late > self.grace else None
            case CatchUp.ONCE:
                return "stale" if late > STALE_ONCE else None
            case CatchUp.NEXT_WINDOW:
                return "stale" if late > STALE_WINDOW else None

    def _ends_of_quiet_hours(self, now: datetime) -> list[datetime]:
        today = now.astimezone(self.zone).date()
        days = [today + timedelta(days=number) for number in (-3, -2, -1, 0, 1, 2, 3)]
        return [instant_of(datetime.combine(day, self.quiet.end), self.zone) for day in days]
