"""Which language model answers: what the user set, what is found on this machine, or the embedded one."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from platformctl.up.settings import CHAT_MODELS, ProviderName, UpSettings

ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The choice, and the sentence about it. `fetch`: a model of the catalog must be on this machine."""

    provider: ProviderName
    said: str
    fetch: bool = False


def ollama_models(url: str) -> list[str] | None:
    """Names of the models that an Ollama at `url` has; None when none answers there."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/api/tags", timeout=ANSWER_SECONDS)
        answer.raise_for_status()
        return [str(model["name"]) for model in answer.json()["models"]]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return None


def choose(settings: UpSettings, ask_ollama: Callable[[str], list[str] | None] = ollama_models) -> LanguageModel:
    """Decide; asks Ollama only when nothing was chosen."""
    if settings.llm_provider is None:
        return _discover(settings, ask_ollama)
    if settings.llm_provider == "embedded":
        return _embedded(settings)
    return LanguageModel(settings.llm_provider, f"language model: {settings.llm_provider}, as LLM_PROVIDER says")


def _discover(settings: UpSettings, ask_ollama: Callable[[str], list[str] | None]) -> LanguageModel:
    instead = "set LLM_PROVIDER=embedded to use the embedded model instead"
    if settings.openai_base_url:
        host = _host(settings.openai_base_url)
        return LanguageModel(
            "openai_compatible", f"language model: OPENAI_BASE_URL is set, so the server at {host} is used ({instead})"
        )
    if settings.llm_model_path is not None:
        return _embedded(settings)
    models = ask_ollama(settings.ollama_url)
    host = _host(settings.ollama_url)
    if models:
        return LanguageModel("ollama", f"language model: Ollama answers at {host}, so it is used ({instead})")
    embedded = _embedded(settings)
    if models is None:
        return embedded
    return LanguageModel("embedded", f"Ollama answers at {host} but has no model; {embedded.said}", embedded.fetch)


def _host(url: str) -> str:
    # No more of an address is shown: it may hold a password.
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _embedded(settings: UpSettings) -> LanguageModel:
    if settings.llm_model_path is not None:
        return LanguageModel("embedded", f"language model: the file {settings.llm_model_path}, as LLM_MODEL_PATH says")
    model = CHAT_MODELS[settings.model]
    return LanguageModel("embedded", f"language model: {model.title} ({model.licence}), embedded", fetch=True)
