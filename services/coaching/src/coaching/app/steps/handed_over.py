"""handed_over: while coaching rests for this person, no model answers."""

from coaching.app.steps.identify import Who
from coaching.app.steps.opt_out import Orders
from coaching.domain.commands import Command
from coaching.domain.prepared import Text, prepared
from coaching.domain.turn import Reply, Source

_ANSWERS = {Command.STOP: Text.STOPPED, Command.HELP: Text.HELP}


async def handed_over(who: Who, orders: Orders) -> Reply | None:
    """Return the prepared reply where only commands came, or where a crisis hold is on; None: coaching goes on."""
    if orders.commands and not orders.rest:
        return Reply(prepared(_answer_to(orders.commands[-1], who), who.language), Source.COMMAND)
    if who.person.crisis_hold_at is not None and orders.change.crisis_hold is not False:
        return Reply(prepared(Text.CRISIS_HOLD, who.language, who.person.locale), Source.CRISIS)
    return None


def _answer_to(command: Command, who: Who) -> Text:
    if command is Command.START:
        return Text.WELCOME if who.person.notice_given_at is None else Text.STARTED
    return _ANSWERS[command]
