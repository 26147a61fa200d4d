"""Waiting in the line, as tasks do it."""

import asyncio
from collections.abc import AsyncGenerator

from llm_inference.app import meters
from llm_inference.domain.completion import Priority, Queued
from llm_inference.domain.errors import BusyError
from llm_inference.domain.line import Line, Ticket


class Admission:
    """Lets tasks wait for their turn in one Line; every change wakes those whose place may have changed."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._changed = asyncio.Event()

    def join(self, priority: Priority, remaining_seconds: float) -> Ticket:
        """Take a place; raises BusyError. The caller must leave() in the end."""
        ticket = self._line.join(priority, remaining_seconds)
        self._wake()
        return ticket

    def leave(self, ticket: Ticket, seconds: float | None = None) -> None:
        """Give the place up, after `seconds` at the model if it came to that."""
        self._line.leave(ticket, seconds)
        self._wake()

    async def wait(self, ticket: Ticket) -> AsyncGenerator[Queued, None]:
        """Yield the place in the line, now and whenever it changes, until it is the ticket's turn."""
        shown = None
        while not ticket.admitted:
            if ticket.displaced:
                raise BusyError("a waiting person took the last place of the line: retry later")
            ahead = self._line.ahead(ticket)
            changed = self._changed
            if ahead != shown:
                shown = ahead
                yield Queued(ahead)
            else:
                await changed.wait()

    def _wake(self) -> None:
        meters.WAITING.set(len(self._line.waiting))
        meters.RUNNING.set(len(self._line.running))
        self._changed.set()
        self._changed = asyncio.Event()
