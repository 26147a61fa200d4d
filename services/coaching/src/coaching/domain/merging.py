"""Several nudges that are due together are one message: nobody wants three at once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")


def merged(due: Sequence[T], key: Callable[[T], tuple[int, datetime, str]]) -> tuple[T, list[T]]:
    """Return the one that speaks and those that are merged into it; `key` gives trigger's rank, due time and id.

    The lowest rank speaks, of equal ones the one that fell due first.
    """
    first, *others = sorted(due, key=key)
    return first, others
