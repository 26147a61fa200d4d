"""load_context: what was said lately, as prompts show it."""

from dataclasses import dataclass

from coaching.app.ports import Turns
from coaching.domain.prompt import Past, history_start
from coaching.domain.turn import OpenedTurn


@dataclass(frozen=True, slots=True)
class Loaded:
    """The shown history, and where it begins from now on."""

    history: tuple[Past, ...]
    history_from: int
    recent_turns: int
    has_memory: bool


async def load_context(turns: Turns, opened: OpenedTurn, history_characters: int) -> Loaded:
    """Load the history; a too long one loses its older half for good, so that prompts keep their beginning."""
    context = await turns.context(opened)
    start = history_start(context.history, history_characters)
    shown = context.history[start:]
    moved = shown[0].position if start and shown else opened.conversation.history_from
    return Loaded(shown, moved, context.recent_turns, context.has_memory)
