"""consent: whoever has not been told yet learns that this is a machine, and how to stop it."""

from coaching.app.steps.identify import Who
from coaching.domain.prepared import Text, prepared


async def consent(who: Who) -> str | None:
    """Return the notice that the first reply begins with, or None where it was given."""
    return prepared(Text.NOTICE, who.language) if who.person.notice_given_at is None else None
