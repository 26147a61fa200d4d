"""Remember texts of persons."""

from collections.abc import Sequence
from dataclasses import dataclass

from vector_search.app.index import Index
from vector_search.app.outcomes import Outcome, attempt, each
from vector_search.domain.errors import VectorSearchError
from vector_search.domain.limits import check_upsert
from vector_search.domain.scope import Scope
from vector_search.domain.texts import RememberedText


@dataclass(frozen=True, slots=True)
class Upsert:
    """Texts of one person."""

    scope: Scope
    texts: Sequence[RememberedText]


async def upsert(index: Index, scope: Scope, texts: Sequence[RememberedText]) -> int:
    """Store the texts, so that the next search finds them; return how many different ones are stored now.

    Idempotent by text id; a text that is there already, unchanged, is not embedded again. Raises InvalidRequestError.
    """
    [stored] = await upsert_many(index, [Upsert(scope, texts)])
    if isinstance(stored, VectorSearchError):
        raise stored
    return stored


async def upsert_many(index: Index, upserts: Sequence[Upsert]) -> list[Outcome[int]]:
    """Do so for each, in as few writes as the store needs; return what came of each, or why it is not stored."""

    async def stored(checked: list[Upsert]) -> list[Outcome[int]]:
        texts: dict[Scope, list[RememberedText]] = {}
        for one in checked:
            texts.setdefault(one.scope, []).extend(one.texts)
        put = await index.put_many(texts)
        return [
            done if isinstance(done := put[one.scope], VectorSearchError) else len({text.text_id for text in one.texts})
            for one in checked
        ]

    return await each([attempt(_checked, one) for one in upserts], stored)


def _checked(one: Upsert) -> Upsert:
    check_upsert(one.texts)
    return one
