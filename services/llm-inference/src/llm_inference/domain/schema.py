"""The part of JSON Schema that every provider constrains its output by; anything else would be ignored by some."""

from collections.abc import Mapping
from typing import Any

from llm_inference.domain.errors import InvalidRequestError

TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
NUMBERS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum"})
ANNOTATIONS = frozenset({"title", "description"})
KEYWORDS = NUMBERS | ANNOTATIONS | {
    "type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "items",
}  # fmt: skip
DEEPEST = 8


def check_schema(schema: object, depth: int = 0) -> None:
    """Raise InvalidRequestError when the schema leaves that part; the text never quotes the schema's own words."""
    if not isinstance(schema, Mapping):
        raise InvalidRequestError("json_schema: a schema must be an object")
    if depth > DEEPEST:
        raise InvalidRequestError(f"json_schema: nested deeper than {DEEPEST}")
    if not schema.keys() <= KEYWORDS:
        raise InvalidRequestError(f"json_schema: only these keywords are supported: {', '.join(sorted(KEYWORDS))}")
    if not {"type", "enum", "const", "anyOf"} & schema.keys():
        raise InvalidRequestError("json_schema: each schema needs type, enum, const or anyOf")
    if str(schema.get("type", "null")) not in TYPES:
        raise InvalidRequestError(f"json_schema: type must be one of {', '.join(sorted(TYPES))}")
    _check_values(schema)
    for inner in _inner(schema):
        check_schema(inner, depth + 1)


def _check_values(schema: Mapping[str, Any]) -> None:
    rules = (
        all(isinstance(schema.get(name, 0), int | float) for name in NUMBERS),
        all(isinstance(schema.get(name, [0]), list) and schema.get(name, [0]) for name in ("enum", "anyOf")),
        isinstance(schema.get("properties", {}), Mapping),
        isinstance(schema.get("additionalProperties", False), bool),
        isinstance(schema.get("required", []), list)
        and all(name in schema.get("properties", {}) for name in schema.get("required", [])),
    )
    if not all(rules):
        raise InvalidRequestError(
            "json_schema: a keyword's value is of the wrong kind, or a required name has no property"
        )


def _inner(schema: Mapping[str, Any]) -> list[object]:
    return [
        *schema.get("properties", {}).values(),
        *schema.get("anyOf", ()),
        *([schema["items"]] if "items" in schema else ()),
    ]
