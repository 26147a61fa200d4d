"""One conversation's messages, for the page that shows them."""

from coaching.app.ports import Reading
from coaching.domain.messages import MessagePage

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class ListMessages:
    """Pages backwards through a conversation."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def __call__(self, organization_id: str, place: tuple[str, str, str], before: str, limit: int) -> MessagePage:
        """Return up to `limit` messages before the given one; `place` is channel, account and sender id."""
        return await self._reading.messages(organization_id, place, before, min(limit or DEFAULT_LIMIT, MAX_LIMIT))
