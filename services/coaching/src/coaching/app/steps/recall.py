"""recall: what this person said longer ago that bears on the newest messages."""

from dataclasses import dataclass

from coaching.app.ports import Memory, MemoryUnavailableError
from coaching.app.steps.load_context import Loaded
from coaching.domain.prompt import Recalled, shortened
from coaching.domain.turn import OpenedTurn, Pending
from kit import log

QUERY_CHARACTERS = 500
_log = log.get_logger("coaching.recall")


@dataclass(frozen=True, slots=True)
class RecallLimits:
    """How much is recalled, and how alike it must be (cosine similarity)."""

    texts: int
    minimum_score: float


async def recall(
    memory: Memory, opened: OpenedTurn, rest: tuple[Pending, ...], loaded: Loaded, limits: RecallLimits
) -> tuple[Recalled, ...]:
    """Search the index; what the prompt shows anyway is left out. An index that fails or is slow recalls nothing."""
    query = shortened(" ".join(message.text for message in rest if message.has_words), QUERY_CHARACTERS)
    if not query or not loaded.has_memory:
        return ()
    shown = [*(past.message_id for past in loaded.history), *(message.message_id for message in rest)]
    try:
        found = await memory.search(
            opened.claim.organization_id, opened.person.person_id, query, limits.texts, exclude=shown
        )
    except MemoryUnavailableError as error:
        _log.warning("recall_skipped", exc_info=error)
        return ()
    return tuple(item for item in found if item.score >= limits.minimum_score)[: limits.texts]
