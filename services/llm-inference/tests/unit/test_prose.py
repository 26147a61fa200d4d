"""Which models are trusted with free sentences."""

import pytest

from llm_inference.domain.prose import is_free_prose


@pytest.mark.parametrize(
    ("name", "parameters", "size", "trusted"),
    [
        ("SmolLM2-135M-Instruct.Q4_1", None, 98_362_432, False),
        ("Qwen2.5-Coder-1.5B-Instruct", None, 1_117_320_768, True),
        ("qwen2.5:0.5b", None, None, False),
        ("llama3.2:3b", None, None, True),
        ("gemma3-270m-it", None, None, False),
        ("gpt-4o-mini", None, None, True),
        ("small", None, 98_362_432, False),
        ("model", None, 4_000_000_000, True),
        ("tiny:7b", 135_000_000, None, False),
    ],
)
def test_size_decides(name: str, parameters: float | None, size: int | None, trusted: bool) -> None:
    assert is_free_prose(name, parameters, size) is trusted
