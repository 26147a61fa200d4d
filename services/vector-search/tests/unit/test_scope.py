"""Whose vectors: nothing of a store can be reached without an organisation and a person."""

import inspect
from typing import get_args, get_type_hints

import pytest

from fakes.coaching_texts import new_scope
from vector_search.app.ports import VectorStore
from vector_search.domain.errors import InvalidRequestError
from vector_search.domain.scope import EVERYTHING, Reach, Scope

# What takes no scope gives neither a text nor a vector.
WITHOUT_SCOPE = {"shared", "inventory", "is_complete", "mark_complete", "check", "close"}


@pytest.mark.guarantee("P5-vectors")
def test_every_store_call_that_reaches_texts_or_vectors_needs_a_scope() -> None:
    names = {name for name in vars(VectorStore) if not name.startswith("_")}
    reaching = names - WITHOUT_SCOPE
    assert reaching == {"versions", "load", "digests", "known", "upsert", "delete", "delete_person"}
    for name in reaching:
        first = list(inspect.signature(getattr(VectorStore, name)).parameters.values())[1]
        assert first.default is inspect.Parameter.empty, name
        kind = get_type_hints(getattr(VectorStore, name))[first.name]
        assert Scope in (kind, *get_args(kind)[:1]), name  # one, several, or what is given for each


@pytest.mark.guarantee("P5-vectors")
@pytest.mark.parametrize("missing", ["", " ", "*", "not-a-uuid", "019c0000-0000-7000-8000-00000000000"])
def test_a_scope_without_organisation_or_person_cannot_be_made(missing: str) -> None:
    known = new_scope()
    with pytest.raises(InvalidRequestError, match="organization_id must be a UUID"):
        Scope(missing, known.person_id)
    with pytest.raises(InvalidRequestError, match="person_id must be a UUID"):
        Scope(known.organization_id, missing)


def test_one_person_has_one_scope_however_the_ids_are_written() -> None:
    known = new_scope()
    assert Scope(known.organization_id.upper(), known.person_id.replace("-", "")) == known


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        Scope("my secret", "x")
    assert "secret" not in str(refused.value)


def test_a_rebuild_reaches_one_organisation_or_all() -> None:
    here, elsewhere = new_scope(), new_scope()
    assert Reach(here.organization_id).covers(here)
    assert not Reach(here.organization_id).covers(elsewhere)
    assert EVERYTHING.covers(here)
    with pytest.raises(InvalidRequestError):
        Reach("")
