"""Who may send now: one message at a time per chat, so many provider calls at once, none while an account rests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from channel_adapter.domain.delivery import Lane
from kit.clock import Clock

Chat = tuple[str, str, str]
Endpoint = tuple[str, str]


class Turns:
    """One message at a time per chat, in the order in which they asked."""

    def __init__(self) -> None:
        self._locks: dict[Chat, asyncio.Lock] = {}
        self._users: dict[Chat, int] = {}

    @asynccontextmanager
    async def of(self, chat: Chat) -> AsyncIterator[None]:
        """Hold the chat's turn."""
        lock = self._locks.setdefault(chat, asyncio.Lock())
        self._users[chat] = self._users.get(chat, 0) + 1
        try:
            async with lock:  # asyncio's locks are first come, first served
                yield
        finally:
            self._users[chat] -= 1
            if not self._users[chat]:
                del self._users[chat], self._locks[chat]


class Workers:
    """MAX_WORKERS provider calls at once; proactive messages leave at least half of them to replies."""

    def __init__(self, most: int) -> None:
        self._all = asyncio.Semaphore(most)
        self._proactive = asyncio.Semaphore(max(1, most // 2))

    @asynccontextmanager
    async def one(self, lane: Lane, *, needed: bool) -> AsyncIterator[None]:
        """Hold a worker, where the channel's calls go to a provider."""
        async with AsyncExitStack() as held:
            if needed and lane is Lane.PROACTIVE:
                await held.enter_async_context(self._proactive)
            if needed:
                await held.enter_async_context(self._all)
            yield


class Rests:
    """Accounts that a provider told to wait: the whole queue of the account waits, not one message of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Endpoint, float] = {}

    def rest(self, endpoint: Endpoint, seconds: float) -> None:
        """Let the account rest; a shorter rest never ends a longer one."""
        until = self._clock.monotonic() + seconds
        self._until[endpoint] = max(until, self._until.get(endpoint, 0.0))

    def remaining(self, endpoint: Endpoint) -> float:
        """Return the seconds until the account may be used; 0 when it may be used now."""
        return max(0.0, self._until.get(endpoint, 0.0) - self._clock.monotonic())
