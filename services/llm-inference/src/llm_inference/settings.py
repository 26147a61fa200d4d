"""Every knob of llm-inference."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from kit.settings import BaseServiceSettings

ProviderName = Literal["embedded", "ollama", "openai_compatible"]


class LlmInferenceSettings(BaseServiceSettings):
    """MAX_WORKERS bounds the completions at once (16 for each worker on a remote server); others wait in the line."""

    llm_provider: ProviderName = Field("embedded", description="embedded, ollama or openai_compatible.")
    llm_model: str = Field(
        "", description="The model's name; empty: the file's name, or the first model that the server lists."
    )
    llm_model_path: Path | None = Field(None, description="GGUF file of the embedded engine.")
    llm_context_tokens: int = Field(
        4096, ge=512, le=131_072, description="Prompt and answer of one completion at most, in tokens."
    )
    llm_threads: int = Field(
        0, ge=0, le=256, description="Cores that the embedded engine computes on; 0: all but one, which services keep."
    )
    llm_free_prose: bool | None = Field(
        None, description="Whether free sentences of the model are trusted; unset: from a billion parameters on."
    )
    llm_queue_size: int = Field(64, ge=0, le=10_000, description="Completions that may wait; others are refused.")
    llm_slots_dir: Path | None = Field(
        None, description="Where the embedded engine keeps what it has read for each person; unset: until it stops."
    )
    llm_slots_max_megabytes: int = Field(2048, ge=0, description="Room for that; who came least recently is dropped.")
    llm_slots_max_days: int = Field(14, ge=1, description="Days after which it is dropped when nobody returns.")
    ollama_url: str = Field("http://localhost:11434", description="Ollama, for LLM_PROVIDER=ollama.")
    openai_base_url: str = Field(
        "", description="Server for LLM_PROVIDER=openai_compatible, up to and with /v1 on most of them."
    )
    openai_api_key: SecretStr = Field(SecretStr(""), description="That server's key; empty: it needs none.")

    @model_validator(mode="after")
    def check_provider(self) -> Self:
        """Name what the chosen provider still needs."""
        if self.llm_provider == "embedded" and self.llm_model_path is None:
            raise ValueError("LLM_MODEL_PATH is missing: name a GGUF file, or choose another LLM_PROVIDER")
        if self.llm_provider == "openai_compatible" and not self.openai_base_url:
            raise ValueError("OPENAI_BASE_URL is missing: LLM_PROVIDER=openai_compatible needs it")
        return self
