"""Find what persons and their coach said that is nearest to a query."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from vector_search.app import metrics
from vector_search.app.embedding import Embedding
from vector_search.app.index import Index
from vector_search.app.outcomes import Outcome, attempt, each
from vector_search.domain.errors import VectorSearchError
from vector_search.domain.limits import check_search, check_text_ids
from vector_search.domain.scope import Scope
from vector_search.domain.texts import Hit

SCAN_SECONDS = 0.001  # after so long others get their turn


@dataclass(frozen=True, slots=True)
class Query:
    """One search: a person's nearest texts, so many, but those excluded."""

    scope: Scope
    text: str
    limit: int = 0
    exclude: Collection[str] = ()


async def search(
    index: Index, embedding: Embedding, scope: Scope, query: str, limit: int = 0, exclude: Collection[str] = ()
) -> list[Hit]:
    """Return the nearest texts of this person, best first. Raises InvalidRequestError."""
    [found] = await search_many(index, embedding, [Query(scope, query, limit, exclude)])
    if isinstance(found, VectorSearchError):
        raise found
    return found


async def search_many(index: Index, embedding: Embedding, queries: Sequence[Query]) -> list[Outcome[list[Hit]]]:
    """Return what each query finds, best first, or why it is not answered; they are embedded together."""

    async def found(checked: list[Query]) -> list[Outcome[list[Hit]]]:
        vectors = await embedding.texts([query.text for query in checked])
        begun = time.perf_counter()
        # Read after embedding: a deletion that came meanwhile counts.
        partitions = await index.partitions([query.scope for query in checked])
        hits: list[Outcome[list[Hit]]] = []
        scanning = begun
        for query, vector, partition in zip(checked, vectors, partitions, strict=True):
            if isinstance(partition, VectorSearchError):
                hits.append(partition)
                continue
            hits.append(partition.search(vector, query.limit, query.exclude))
            if time.perf_counter() - scanning > SCAN_SECONDS:
                await asyncio.sleep(0)
                scanning = time.perf_counter()
        seconds = time.perf_counter() - begun
        for _ in checked:
            metrics.SEARCH_SECONDS.observe(seconds)
        return hits

    return await each([attempt(_checked, query) for query in queries], found)


def _checked(query: Query) -> Query:
    wanted = check_search(query.text, query.limit)
    check_text_ids(query.exclude)
    return replace(query, limit=wanted)
