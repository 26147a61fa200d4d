"""Forget texts of a person, or all of them."""

from collections.abc import Collection

from vector_search.app.index import Index
from vector_search.domain.errors import InvalidRequestError
from vector_search.domain.limits import check_text_ids
from vector_search.domain.scope import Scope


async def delete(index: Index, scope: Scope, text_ids: Collection[str], everything: bool) -> int:
    """Delete the named texts or everything; no search that begins afterwards, at any replica, finds them.

    Return how many there were. Raises InvalidRequestError where it is not clear which is meant.
    """
    check_text_ids(text_ids)
    if everything and text_ids:
        raise InvalidRequestError("name text_ids or ask for everything, not both")
    if everything:
        return await index.remove_everything(scope)
    if not text_ids:
        raise InvalidRequestError("name text_ids, or ask for everything")
    return await index.remove(scope, text_ids)
