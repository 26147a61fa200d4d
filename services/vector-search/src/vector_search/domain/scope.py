"""Whose vectors: the one place that organisation and person are taken from, by every call of a store."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from vector_search.domain.errors import InvalidRequestError

_CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _identifier(name: str, value: str) -> str:
    if _CANONICAL.fullmatch(value):
        return value
    try:
        return str(UUID(value))
    except ValueError:
        raise InvalidRequestError(f"{name} must be a UUID") from None


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One person of one organisation. Both are required, and kept in the canonical form of a UUID."""

    organization_id: str
    person_id: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "organization_id", _identifier("organization_id", self.organization_id))
        object.__setattr__(self, "person_id", _identifier("person_id", self.person_id))


def one_organization(scopes: Iterable[Scope]) -> str:
    """Return the organisation that all of these persons belong to; raises ValueError where they do not."""
    [organization_id] = {scope.organization_id for scope in scopes}
    return organization_id


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rebuild covers: one organisation, or every one (None). It opens no way to texts or vectors."""

    organization_id: str | None = None

    def __post_init__(self) -> None:
        if self.organization_id is not None:
            object.__setattr__(self, "organization_id", _identifier("organization_id", self.organization_id))

    def covers(self, scope: Scope) -> bool:
        """Whether a person's vectors belong to this rebuild."""
        return self.organization_id in (None, scope.organization_id)


EVERYTHING = Reach()
