"""The line in front of a model: bounded, people before background work, first come first served among equals."""

from dataclasses import dataclass, field

from llm_inference.domain.completion import Priority
from llm_inference.domain.errors import BusyError

# How much the newest duration counts in the running mean: about the last ten completions.
NEWEST_WEIGHT = 0.2


@dataclass(slots=True, eq=False)
class Ticket:
    """A place in the line. `admitted`: the model may be asked; `displaced`: a person took the last place."""

    priority: Priority
    number: int
    admitted: bool = False
    displaced: bool = False


@dataclass(slots=True)
class Line:
    """At most `workers` at the model and `most_waiting` in line. The last worker is kept for people."""

    workers: int
    most_waiting: int
    mean_seconds: float = 0.0
    running: list[Ticket] = field(default_factory=list)
    waiting: list[Ticket] = field(default_factory=list)
    _numbers: int = 0

    def join(self, priority: Priority, remaining_seconds: float) -> Ticket:
        """Take a place. Raises BusyError when the line is full or too long for what remains of the deadline."""
        ticket = Ticket(priority, self._numbers)
        self._numbers += 1
        self.waiting.append(ticket)
        self._admit()
        if ticket.admitted:
            return ticket
        if self.mean_seconds + self.wait_seconds(ticket) > remaining_seconds:
            self.waiting.remove(ticket)
            raise BusyError("the line is too long for the deadline: retry later")
        if len(self.waiting) > self.most_waiting:
            self._make_room(ticket)
        return ticket

    def leave(self, ticket: Ticket, seconds: float | None = None) -> None:
        """Give the place up, after `seconds` at the model if it came to that, and admit who is next."""
        for group in (self.running, self.waiting):
            if ticket in group:
                group.remove(ticket)
        if seconds is not None:
            weight = NEWEST_WEIGHT if self.mean_seconds else 1.0
            self.mean_seconds += weight * (seconds - self.mean_seconds)
        self._admit()

    def ahead(self, ticket: Ticket) -> int:
        """How many in the line are served before this one."""
        return sum(_order(other) < _order(ticket) for other in self.waiting)

    def wait_seconds(self, ticket: Ticket) -> float:
        """The expected wait: each worker becomes free once in a mean duration."""
        return (self.ahead(ticket) + 1) * self.mean_seconds / self.workers

    def _admit(self) -> None:
        for ticket in sorted(self.waiting, key=_order):
            if not self._has_room(ticket.priority):
                break
            self.waiting.remove(ticket)
            self.running.append(ticket)
            ticket.admitted = True

    def _has_room(self, priority: Priority) -> bool:
        if priority is Priority.INTERACTIVE or self.workers == 1:
            return len(self.running) < self.workers
        return len(self.running) < self.workers - 1

    def _make_room(self, newcomer: Ticket) -> None:
        last = max(self.waiting, key=_order)
        self.waiting.remove(last)
        if last is newcomer:
            raise BusyError("the line is full: retry later")
        last.displaced = True


def _order(ticket: Ticket) -> tuple[int, int]:
    return -ticket.priority, ticket.number
