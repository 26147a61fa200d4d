"""Remember texts of a person."""

from collections.abc import Sequence

from vector_search.app.index import Index
from vector_search.domain.limits import check_upsert
from vector_search.domain.scope import Scope
from vector_search.domain.texts import RememberedText


async def upsert(index: Index, scope: Scope, texts: Sequence[RememberedText]) -> int:
    """Store the texts, so that the next search finds them; return how many different ones are stored now.

    Idempotent by text id; a text that is there already, unchanged, is not embedded again. Raises InvalidRequestError.
    """
    check_upsert(texts)
    await index.put(scope, texts)
    return len({text.text_id for text in texts})
