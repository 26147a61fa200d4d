"""handed_over: while coaching rests for this person, no model answers."""

from dataclasses import replace

from coaching.app.steps.identify import Who
from coaching.app.steps.opt_out import Orders
from coaching.domain.commands import Command, steering
from coaching.domain.prepared import Text, prepared
from coaching.domain.turn import Reply, Source

_ANSWERS = {Command.STOP: Text.STOPPED, Command.HELP: Text.HELP}
_CONFIRMED = {Command.STOP: Text.STOPPED_SHORT, Command.START: Text.STARTED_SHORT}


async def handed_over(who: Who, orders: Orders, told: str | None = None) -> Reply | None:
    """Return the prepared reply where only commands came, or where a crisis hold is on; None: coaching goes on.

    `told` answers the question why the coach wrote, where it was among the commands.
    """
    if orders.commands and not orders.rest:
        words = told or prepared(_answer_to(orders.commands[-1], who), who.language)
        confirmed = confirmation(who, orders) if told or orders.commands[-1] is Command.HELP else None
        return Reply(words if confirmed is None else f"{confirmed}\n\n{words}", Source.COMMAND)
    if who.person.crisis_hold_at is not None and orders.change.crisis_hold is not False:
        return Reply(prepared(Text.CRISIS_HOLD, who.language, who.person.locale), Source.CRISIS)
    return None


def confirmation(who: Who, orders: Orders) -> str | None:
    """Return the short words that a STOP or START among other messages was obeyed, or None where there is none."""
    last = steering(orders.commands)
    return None if last is None else prepared(_CONFIRMED[last], who.language)


def confirmed_after(reply: Reply, who: Who, orders: Orders) -> Reply:
    """Add to a crisis text, which nothing may stand before, that a STOP was obeyed; START does not end this hold."""
    words = confirmation(who, orders) if reply.source is Source.CRISIS and orders.change.proactive_stopped else None
    return reply if words is None else replace(reply, text=f"{reply.text}\n\n{words}")


def _answer_to(command: Command, who: Who) -> Text:
    if command is Command.START:
        return Text.WELCOME if who.person.notice_given_at is None else Text.STARTED
    return _ANSWERS[command]
