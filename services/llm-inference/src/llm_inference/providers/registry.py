"""Every model provider: one file and one line here."""

from collections.abc import Callable, Mapping

from llm_inference.app.ports import ModelProvider
from llm_inference.providers.embedded.provider import Embedded
from llm_inference.providers.ollama import Ollama
from llm_inference.providers.openai_compatible import OpenAiCompatible
from llm_inference.settings import LlmInferenceSettings, ProviderName

PROVIDERS: Mapping[ProviderName, Callable[[LlmInferenceSettings], ModelProvider]] = {
    "embedded": Embedded,
    "ollama": Ollama,
    "openai_compatible": OpenAiCompatible,
}
