"""why_written: whoever asks why the coach wrote first is told from what was kept, not by a model."""

from coaching.app.ports import SentNudges
from coaching.app.steps.identify import Who
from coaching.app.steps.opt_out import Orders
from coaching.app.trigger import Triggers
from coaching.domain.commands import Command
from coaching.domain.nudge_words import nothing_sent, why_it_came
from coaching.domain.turn import OpenedTurn


async def why_written(
    nudges: SentNudges, triggers: Triggers, opened: OpenedTurn, who: Who, orders: Orders
) -> str | None:
    """Return the answer about the newest nudge of this person, or None where nobody asked."""
    if Command.WHY not in orders.commands:
        return None
    nudge = await nudges.newest(opened.claim.organization_id, who.person.person_id)
    if nudge is None:
        return nothing_sent(who.language)
    trigger = triggers.get(nudge.trigger)
    because = "" if trigger is None else trigger.because(nudge.why, who.language)
    return why_it_came(nudge, because, who.language)
