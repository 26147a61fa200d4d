"""The engine's slots: each computes one completion and remembers the last prompt."""

import asyncio
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Slot:
    """One slot; `holds` is the key of who it remembers, "" for nobody."""

    number: int
    holds: str = ""
    used: int = 0


class Slots:
    """Hands slots out, to a returning person the one that remembers them, else the one unused for longest."""

    def __init__(self, count: int) -> None:
        self._free = [Slot(number) for number in range(count)]
        self._available = asyncio.Semaphore(count)
        self._uses = 0

    async def acquire(self, key: str) -> Slot:
        """Wait for a free slot and take it."""
        await self._available.acquire()
        slot = min(self._free, key=lambda slot: (not key or slot.holds != key, slot.used))
        self._free.remove(slot)
        return slot

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        self._uses += 1
        slot.used = self._uses
        self._free.append(slot)
        self._available.release()
