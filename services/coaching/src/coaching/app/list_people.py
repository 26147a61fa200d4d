"""The people of an organisation, for operators."""

from coaching.app.ports import Reading
from coaching.domain.messages import ListedPerson

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


class ListPeople:
    """Pages through people in the order in which they came."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def __call__(self, organization_id: str, after: str, limit: int) -> tuple[list[ListedPerson], bool]:
        """Return up to `limit` people after the given one, and whether there are more."""
        return await self._reading.people(organization_id, after, min(limit or DEFAULT_LIMIT, MAX_LIMIT))
