"""Any server that speaks OpenAI's chat completions: vLLM, llama-server, LM Studio, hosted ones."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from llm_inference import dialect, wire
from llm_inference.domain.completion import Completion, Delta, Ended, Model
from llm_inference.domain.errors import BackendUnavailableError
from llm_inference.domain.prose import is_free_prose
from llm_inference.settings import LlmInferenceSettings

ADVICE = "check OPENAI_BASE_URL (it ends with /v1 on most servers), OPENAI_API_KEY and LLM_MODEL"


class OpenAiCompatible:
    """Without LLM_MODEL the first model that the server lists answers."""

    name = "openai_compatible"
    per_worker = wire.PER_WORKER

    def __init__(self, settings: LlmInferenceSettings) -> None:
        key = settings.openai_api_key.get_secret_value()
        self._http = wire.Client(settings.openai_base_url, {"Authorization": f"Bearer {key}"} if key else {})
        self._model = settings.llm_model
        self._context_tokens = settings.llm_context_tokens
        self._free_prose = settings.llm_free_prose
        self._described: Model | None = None

    async def start(self) -> None:
        """Nothing to load: a server that comes later is found by the first request."""

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> None:
        await wire.fetched(self._http, "GET", "/models", ADVICE)

    async def describe(self) -> Model:
        if self._described is None:
            entry = self._entry(await wire.fetched(self._http, "GET", "/models", ADVICE))
            name = str(entry["id"])
            free_prose = is_free_prose(name) if self._free_prose is None else self._free_prose
            # vLLM tells max_model_len, llama-server meta.n_ctx; others tell nothing.
            told = entry.get("max_model_len") or (entry.get("meta") or {}).get("n_ctx") or self._context_tokens
            self._described = Model(name, "", self.name, free_prose, min(int(told), self._context_tokens))
        return self._described

    async def stream(self, request: Completion) -> AsyncGenerator[Delta | Ended, None]:
        model = await self.describe()
        body = dialect.body(request) | {"model": model.name}
        async with (
            wire.posted(self._http, "/chat/completions", body, ADVICE) as pieces,
            aclosing(dialect.events(pieces)) as events,
        ):
            async for event in events:
                yield event

    def _entry(self, listed: Any) -> dict[str, Any]:
        entries = [entry for entry in listed.get("data") or () if isinstance(entry, dict) and entry.get("id")]
        if self._model:
            # A server may answer for models that it does not list.
            return next((entry for entry in entries if entry["id"] == self._model), {"id": self._model})
        if not entries:
            raise BackendUnavailableError(f"the model server lists no model: {ADVICE}")
        return entries[0]
