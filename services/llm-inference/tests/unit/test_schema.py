"""The part of JSON Schema that every provider knows."""

from typing import Any

import pytest

from llm_inference.domain.errors import InvalidRequestError
from llm_inference.domain.schema import check_schema

WORD = {"type": "string", "maxLength": 20}
NESTED: dict[str, Any] = {"type": "string"}
for _ in range(9):
    NESTED = {"type": "array", "items": NESTED}


@pytest.mark.parametrize(
    "schema",
    [
        WORD,
        {"enum": ["a", "b"], "description": "which"},
        {"const": 1},
        {"anyOf": [WORD, {"type": "null"}]},
        {"type": "object", "properties": {"a": WORD}, "required": ["a"], "additionalProperties": False},
        {"type": "array", "items": WORD, "minItems": 1, "maxItems": 3},
        {"type": "integer", "minimum": 1, "maximum": 48},
    ],
)
def test_what_is_supported_passes(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    "schema",
    [
        [],
        {},
        {"type": "MARKER"},
        {"type": ["string", "null"]},
        {"$ref": "#/MARKER"},
        {"type": "string", "pattern": "MARKER"},
        {"enum": []},
        {"anyOf": "MARKER"},
        {"type": "object", "properties": ["MARKER"]},
        {"type": "object", "properties": {"a": {"type": "MARKER"}}},
        {"type": "object", "properties": {"a": WORD}, "required": ["MARKER"]},
        {"type": "object", "properties": {}, "additionalProperties": WORD},
        {"type": "array", "items": {"type": "MARKER"}},
        {"type": "string", "maxLength": "MARKER"},
        NESTED,
    ],
)
def test_anything_else_is_refused_without_being_quoted(schema: Any) -> None:
    with pytest.raises(InvalidRequestError, match="json_schema") as refused:
        check_schema(schema)
    assert "MARKER" not in str(refused.value)
