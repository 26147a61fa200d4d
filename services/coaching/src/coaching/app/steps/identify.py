"""identify: who is speaking, and in which of our languages prepared texts reach them."""

from dataclasses import dataclass

from coaching.app.steps.opt_out import Orders
from coaching.domain.curated.menu import language_of_text
from coaching.domain.people import Language, Person, language_of
from coaching.domain.turn import OpenedTurn


@dataclass(frozen=True, slots=True)
class Who:
    """The person of a turn."""

    person: Person
    language: Language


async def identify(opened: OpenedTurn, orders: Orders) -> Who:
    """Return the person; their language is that of what they just wrote, else of their channel's locale."""
    spoken = " ".join(message.text for message in orders.rest)
    language = orders.language or language_of_text(spoken, language_of(opened.person.locale))
    return Who(opened.person, language)
