"""opt_out: the words that steer the coach are found before anything else reads the messages."""

from dataclasses import dataclass

from coaching.domain.commands import Command, change_of, command_in, language_in
from coaching.domain.people import Language, PersonChange
from coaching.domain.turn import Pending


@dataclass(frozen=True, slots=True)
class Orders:
    """The commands among a turn's messages, what they change, and the messages that are none."""

    commands: tuple[Command, ...]
    change: PersonChange
    language: Language | None
    rest: tuple[Pending, ...]


async def opt_out(messages: tuple[Pending, ...]) -> Orders:
    """Separate commands from what was said to the coach."""
    found = [(message, command_in(message.text)) for message in messages]
    commands = tuple(command for _, command in found if command is not None)
    languages = [language_in(message.text) for message, command in found if command is not None]
    return Orders(
        commands=commands,
        change=change_of(commands),
        language=next((language for language in languages if language is not None), None),
        rest=tuple(message for message, command in found if command is None),
    )
