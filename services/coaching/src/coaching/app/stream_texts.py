"""Every text that the memory index should hold, for building it anew."""

from collections.abc import AsyncIterator

from coaching.app.ports import Reading
from coaching.domain.messages import MemoryText

PAGE = 256


class StreamTexts:
    """Reads in pages, each in a transaction of its own: a rebuild may take hours and must hold nothing up."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def __call__(self, organization_id: str, person_id: str) -> AsyncIterator[list[MemoryText]]:
        """Yield pages, oldest first within an organisation; without one every organisation in turn."""
        for own in [organization_id] if organization_id else await self._reading.organizations():
            after = 0
            while True:
                texts, after = await self._reading.texts(own, person_id, after, PAGE)
                if texts:
                    yield texts
                if len(texts) < PAGE:
                    break
