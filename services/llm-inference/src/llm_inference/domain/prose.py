"""Which models may be trusted with free sentences: a rule by size, since the smallest ones drift."""

import re

# SmolLM2-135M keeps to a schema, but its free sentences drift from the subject; a 1.5B model's hold.
FREE_PROSE_PARAMETERS = 1_000_000_000
# Four-bit weights take a little over half a byte each (0.69 for Q4_1, 0.72 for Q4_K_M with its embeddings).
PARAMETERS_PER_BYTE = 1.4
SIZE_IN_NAME = re.compile(r"(?<![0-9a-z.])(?P<number>\d+(?:\.\d+)?)(?P<unit>[mb])(?![a-z0-9])", re.IGNORECASE)


def parameters_in_name(name: str) -> float | None:
    """Read the number of parameters from a name such as "qwen2.5:0.5b" or "SmolLM2-135M-Instruct"."""
    found = SIZE_IN_NAME.search(name)
    if found is None:
        return None
    return float(found["number"]) * (1e9 if found["unit"].lower() == "b" else 1e6)


def is_free_prose(name: str, parameters: float | None = None, size_bytes: int | None = None) -> bool:
    """Decide by the number of parameters: told, else read in the name, else guessed from the file; unknown is large."""
    known = parameters or parameters_in_name(name)
    if known is None and size_bytes is not None:
        known = size_bytes * PARAMETERS_PER_BYTE
    return known is None or known >= FREE_PROSE_PARAMETERS
