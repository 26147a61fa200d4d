"""Why a nudge came, or did not."""

from coaching.app.check_ins.ports import Explaining, PersonRef, UnknownError
from coaching.domain.explaining import ToldDecision, ToldNudge

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class ExplainNudge:
    """Tells every decision that was made about one nudge."""

    def __init__(self, explaining: Explaining) -> None:
        self._explaining = explaining

    async def __call__(self, organization_id: str, nudge_id: str) -> tuple[ToldNudge, list[ToldDecision]]:
        """Return the nudge and its decisions, oldest first. Raises UnknownError where there is none."""
        found = await self._explaining.nudge(organization_id, nudge_id)
        if found is None:
            raise UnknownError("There is no such nudge. List the person's nudges to see their ids.")
        return found


class ListNudges:
    """Lists a person's nudges."""

    def __init__(self, explaining: Explaining) -> None:
        self._explaining = explaining

    async def __call__(self, ref: PersonRef, limit: int) -> list[ToldNudge]:
        """Return up to `limit` nudges, newest first."""
        return await self._explaining.nudges(ref, min(limit or DEFAULT_LIMIT, MAX_LIMIT))
