"""The last word on a proactive message: decided again just before the provider is called, by what is known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from coaching.domain.deliveries import Decision, Delivery, Drop, Hold, Send, State, standing
from coaching.domain.facts import facts_of
from coaching.domain.proactive import Channel, History, Limits, Occasion, Person, decide_at

# Replicas with clocks that disagree do not hand a nudge to and fro faster than this.
LOOK_AGAIN = timedelta(seconds=30)
REMOVED, PAUSED = "check_in_removed", "check_in_paused"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A proactive delivery that somebody wants to send now; `history` is without itself."""

    delivery_id: str
    person_id: str
    occasion: Occasion
    person: Person
    channel: Channel
    history: History
    nudge_id: str = ""  # of a message that no check-in stands behind: none
    refused: str = ""  # its check-in lets it go no more


@dataclass(frozen=True, slots=True)
class LastWord:
    """What was decided about a delivery. A withdrawn one is as if it had not been planned."""

    outgoing: Outgoing
    decision: Decision
    withdrawn: bool = False
    look_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def last_words(
    rows: Sequence[Delivery], outgoing: Mapping[str, Outgoing], moments: Sequence[datetime], limits: Limits
) -> dict[str, LastWord]:
    """Decide about deliveries in the order in which they are asked for; one that may go counts for the next."""
    found: dict[str, LastWord] = {}
    sent: dict[str, list[datetime]] = {}
    for row in rows:
        item = outgoing[row.delivery_id]
        already = tuple(sent.get(item.person_id, ()))
        item = replace(item, history=replace(item.history, sent=item.history.sent + already))
        word = _last_word(row, item, moments, limits)
        if isinstance(word.decision, Send):
            sent.setdefault(item.person_id, []).append(min(moments))
        found[row.delivery_id] = word
    return found


def _last_word(row: Delivery, item: Outgoing, moments: Sequence[datetime], limits: Limits) -> LastWord:
    first = min(moments)
    own = standing(row, first)
    if not isinstance(own, Send) and own != Drop("stale"):
        return LastWord(item, own)
    decision = own if isinstance(own, Drop) else _decision(item, moments, limits)
    facts = facts_of(first, item.occasion, item.person, item.history)
    unsent = row.parts_accepted == 0 and row.state in (State.PLANNED, State.CLAIMED)
    if isinstance(decision, Send) or not item.nudge_id or not unsent:
        return LastWord(item, decision, facts=facts)
    if isinstance(decision, Hold):
        return LastWord(item, decision, True, max(decision.until, max(moments) + LOOK_AGAIN), facts)
    return LastWord(item, decision, True, None, facts)


def _decision(item: Outgoing, moments: Sequence[datetime], limits: Limits) -> Decision:
    if item.refused:
        return Drop(item.refused)
    return decide_at(moments, item.occasion, item.person, item.channel, item.history, limits)
