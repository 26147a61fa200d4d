"""Ollama, by its own API: it alone takes the context size, and tells which weights answer."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from llm_inference import wire
from llm_inference.domain.completion import Completion, Delta, Ended, FinishReason, Model
from llm_inference.domain.errors import BackendUnavailableError
from llm_inference.domain.prose import is_free_prose
from llm_inference.settings import LlmInferenceSettings

# A model's file names the blob of its weights by their digest.
WEIGHTS = re.compile(r"^FROM .*sha256[-:](?P<digest>[0-9a-f]{64})\s*$", re.MULTILINE)


class Ollama:
    """Without LLM_MODEL the first model that is pulled answers."""

    name = "ollama"
    per_worker = wire.PER_WORKER

    def __init__(self, settings: LlmInferenceSettings) -> None:
        self._http = wire.Client(settings.ollama_url, {})
        self._model = settings.llm_model
        self._context_tokens = settings.llm_context_tokens
        self._free_prose = settings.llm_free_prose
        self._described: Model | None = None
        pull = f"run `ollama pull {self._model}`" if self._model else "pull a model, or set LLM_MODEL"
        self._advice = f"is Ollama running at OLLAMA_URL? If it is: {pull}"

    async def start(self) -> None:
        """Nothing to load: a server that comes later is found by the first request."""

    async def close(self) -> None:
        await self._http.close()

    async def check(self) -> None:
        await wire.fetched(self._http, "GET", "/api/version", self._advice)

    async def describe(self) -> Model:
        if self._described is None:
            name = self._model or await self._first()
            shown = await wire.fetched(self._http, "POST", "/api/show", self._advice, {"model": name})
            info = shown.get("model_info") or {}
            lengths = [int(value) for key, value in info.items() if key.endswith(".context_length")]
            weights = WEIGHTS.search(shown.get("modelfile") or "")
            free_prose = self._free_prose
            if free_prose is None:
                free_prose = is_free_prose(name, parameters=info.get("general.parameter_count"))
            context = min([self._context_tokens, *lengths])
            self._described = Model(name, weights["digest"] if weights else "", self.name, free_prose, context)
        return self._described

    async def stream(self, request: Completion) -> AsyncGenerator[Delta | Ended, None]:
        model = await self.describe()
        async with (
            wire.posted(self._http, "/api/chat", _body(request, model), self._advice) as pieces,
            aclosing(wire.lines(pieces)) as lines,
        ):
            async for line in lines:
                chunk = wire.parsed(line)
                if text := (chunk.get("message") or {}).get("content"):
                    yield Delta(text)
                if chunk.get("done"):
                    yield _ended(chunk)
                    return
        raise BackendUnavailableError("the model server's stream ended too early")

    async def _first(self) -> str:
        listed = await wire.fetched(self._http, "GET", "/api/tags", self._advice)
        names = [str(entry["name"]) for entry in listed.get("models") or ()]
        if not names:
            raise BackendUnavailableError("Ollama has no model: pull one, and name it in LLM_MODEL")
        return names[0]


def _body(request: Completion, model: Model) -> dict[str, Any]:
    options: dict[str, Any] = {
        "temperature": request.temperature,
        "num_predict": request.max_tokens,
        "num_ctx": model.context_tokens,
    }
    if request.stop:
        options["stop"] = list(request.stop)
    if request.seed is not None:
        options["seed"] = request.seed
    body: dict[str, Any] = {
        "model": model.name,
        "messages": [{"role": message.speaker.value, "content": message.text} for message in request.messages],
        "stream": True,
        "options": options,
    }
    if request.schema is not None:
        body["format"] = request.schema
    return body


def _ended(chunk: dict[str, Any]) -> Ended:
    reason = FinishReason.LENGTH if chunk.get("done_reason") == "length" else FinishReason.STOP
    # Ollama does not tell how much of the prompt it had already computed.
    return Ended(reason, chunk.get("prompt_eval_count") or 0, 0, chunk.get("eval_count") or 0)
