"""Show on the channel that the coach is writing: a courtesy that may be dropped at any time."""

import asyncio

from channel_adapter.app.channel import Connection, Connections
from channel_adapter.domain.delivery import ProviderError
from kit import log
from kit.clock import Clock

# Providers show it for about five seconds (Telegram, sendChatAction), and take it away with the message.
SHOWN_SECONDS = 4.0
CALLS_AT_ONCE = 8
# A courtesy takes no noticeable part of what a provider lets an account do (Telegram: some 30 calls a second).
CALLS_A_SECOND = 20
_log = log.get_logger("channel_adapter.typing")


class ShowTyping:
    """At most one call per chat and four seconds, and few at once; what is too much is left out."""

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._shown: dict[tuple[str, str, str], float] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._second, self._calls = 0, 0

    def writing(self, channel: str, account: str, address: str) -> None:
        """Note that an answer for this chat is being written; returns at once."""
        connection = self._connections.get((channel, account))
        if connection is None or connection.typist is None or len(self._running) >= CALLS_AT_ONCE:
            return
        now = self._clock.monotonic()
        chat = (channel, account, address)
        if now - self._shown.get(chat, -SHOWN_SECONDS) < SHOWN_SECONDS or not self._within_rate(int(now)):
            return
        self._shown = {key: at for key, at in self._shown.items() if now - at < SHOWN_SECONDS} | {chat: now}
        task = asyncio.create_task(_show(connection, address))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _within_rate(self, second: int) -> bool:
        """Count a call, unless this second has had enough of them."""
        self._second, self._calls = second, self._calls + 1 if second == self._second else 1
        return self._calls <= CALLS_A_SECOND


async def _show(connection: Connection, address: str) -> None:
    if connection.typist is None:
        return
    try:
        await connection.typist.show_typing(address)
    except ProviderError as error:
        _log.debug("typing_not_shown", channel=connection.channel, problem=error.problem.value)
