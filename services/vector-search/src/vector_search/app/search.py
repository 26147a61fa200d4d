"""Find what a person and their coach said that is nearest to a query."""

import time
from collections.abc import Collection

from vector_search.app import metrics
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.domain.limits import check_search, check_text_ids
from vector_search.domain.scope import Scope
from vector_search.domain.texts import Hit


async def search(
    index: Index, embedding: Embedding, scope: Scope, query: str, limit: int = 0, exclude: Collection[str] = ()
) -> list[Hit]:
    """Return the nearest texts of this person, best first. Raises InvalidRequestError."""
    wanted = check_search(query, limit)
    check_text_ids(exclude)
    vector = await embedding.query(query)
    begun = time.perf_counter()
    # Read after embedding: a deletion that came meanwhile counts.
    partition = await index.partition(scope)
    hits = partition.search(vector, wanted, exclude)
    metrics.SEARCH_SECONDS.observe(time.perf_counter() - begun)
    return hits
