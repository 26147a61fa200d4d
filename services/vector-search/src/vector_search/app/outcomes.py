"""What a list of calls comes to, each on its own: a result, or why there is none."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from vector_search.domain.errors import VectorSearchError

T = TypeVar("T")
R = TypeVar("R")
Outcome: TypeAlias = R | VectorSearchError


def attempt(make: Callable[[T], R], item: T) -> Outcome[R]:
    """Return what is made of an item, or why it cannot be."""
    try:
        return make(item)
    except VectorSearchError as error:
        return error


async def each(
    items: Sequence[Outcome[T]], work: Callable[[list[T]], Awaitable[Sequence[Outcome[R]]]]
) -> list[Outcome[R]]:
    """Do the work for all that have not failed, in one go; what has failed stays so, in its place."""
    well = [item for item in items if not isinstance(item, VectorSearchError)]
    done = iter(await work(well) if well else ())
    return [item if isinstance(item, VectorSearchError) else next(done) for item in items]
