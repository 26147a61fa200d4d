"""What the chosen provider needs."""

from pathlib import Path
from typing import get_args

import pytest

from kit.settings import SettingsError, load
from llm_inference.providers.registry import PROVIDERS
from llm_inference.settings import LlmInferenceSettings, ProviderName


def test_every_provider_has_its_name() -> None:
    assert tuple(PROVIDERS) == get_args(ProviderName)
    assert all(getattr(kind, "name", None) == name for name, kind in PROVIDERS.items())


@pytest.mark.parametrize(
    ("provider", "names"),
    [("embedded", "LLM_MODEL_PATH"), ("openai_compatible", "OPENAI_BASE_URL"), ("nonsense", "LLM_PROVIDER")],
)
def test_what_is_missing_or_wrong_is_named(
    provider: str, names: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_PROVIDER", provider)
    with pytest.raises(SettingsError, match=names):
        load(LlmInferenceSettings)


def test_ollama_needs_nothing_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_PROVIDER", "ollama")
    assert load(LlmInferenceSettings).ollama_url == "http://localhost:11434"
