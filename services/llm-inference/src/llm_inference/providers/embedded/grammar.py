"""JSON output without a model's idle spaces: about a third fewer tokens, and no model that ends in a row of blanks."""

import json
from collections.abc import Mapping
from typing import Any

# https://github.com/guidance-ai/llguidance/blob/main/docs/json_schema.md, "Whitespace handling".
# The engine takes an unusable schema for none at all; domain.schema lets no such schema come here.
COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def compact_grammar(schema: Mapping[str, Any]) -> str:
    """Return a grammar in the engine's LLGuidance syntax."""
    return "%llguidance {}\nstart: %json " + json.dumps({**schema, "x-guidance": COMPACT})
