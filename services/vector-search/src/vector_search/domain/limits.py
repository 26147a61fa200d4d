"""What a request may ask for; everything beyond is refused before any work is done."""

import re
from collections.abc import Collection, Sequence

from vector_search.domain.errors import InvalidRequestError
from vector_search.domain.texts import RememberedText

MAX_ITEMS = 256  # texts of one call, however many persons'
MAX_SEARCHES = 64  # of one call: the last waits for all of them
MAX_TEXT_CHARACTERS = 32_000
MAX_QUERY_CHARACTERS = 32_000  # a person's whole message may be the query
MAX_HITS = 100
DEFAULT_HITS = 8
MAX_NAMED_TEXTS = 1_000  # ids in a deletion or an exclusion
TEXT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def can_be_indexed(text: RememberedText) -> bool:
    """Whether a text that coaching holds has a place in the index: it says something, and is not too long."""
    return bool(text.text.strip()) and len(text.text) <= MAX_TEXT_CHARACTERS


def check_list(items: int = 0, searches: int = 0) -> None:
    """Raise InvalidRequestError unless one call may hold so many."""
    if items > MAX_ITEMS:
        raise InvalidRequestError(f"at most {MAX_ITEMS} items a call")
    if searches > MAX_SEARCHES:
        raise InvalidRequestError(f"at most {MAX_SEARCHES} searches a call")


def check_upsert(texts: Sequence[RememberedText]) -> None:
    """Raise InvalidRequestError unless the texts may be stored in one call."""
    check_list(items=len(texts))
    check_text_ids([text.text_id for text in texts])
    for text in texts:
        if len(text.text) > MAX_TEXT_CHARACTERS:
            raise InvalidRequestError(f"a text may have at most {MAX_TEXT_CHARACTERS} characters")
        if not text.text.strip():
            raise InvalidRequestError("a text must not be blank")


def check_text_ids(text_ids: Collection[str]) -> None:
    """Raise InvalidRequestError unless every id can name a text."""
    if len(text_ids) > MAX_NAMED_TEXTS:
        raise InvalidRequestError(f"at most {MAX_NAMED_TEXTS} text ids a call")
    if not all(TEXT_ID.fullmatch(text_id) for text_id in text_ids):
        raise InvalidRequestError(
            "a text_id has 1 to 128 characters of A-Z a-z 0-9 . _ : - and begins with a letter or digit"
        )


def check_search(query: str, limit: int) -> int:
    """Return how many hits are wanted; raises InvalidRequestError for a query or a limit out of bounds."""
    if not query.strip():
        raise InvalidRequestError("query must not be blank")
    if len(query) > MAX_QUERY_CHARACTERS:
        raise InvalidRequestError(f"query may have at most {MAX_QUERY_CHARACTERS} characters")
    if not 0 <= limit <= MAX_HITS:
        raise InvalidRequestError(f"limit must be 1 to {MAX_HITS}, or 0 for {DEFAULT_HITS}")
    return limit or DEFAULT_HITS
