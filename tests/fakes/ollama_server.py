"""A scripted model behind Ollama's own API; see fakes/openai_server.py for what it can do."""

import json
from typing import Any

from fakes.openai_server import Answer, Asked, ModelServer, prompt_words

DIGEST = "ab" * 32


class ScriptedOllama(ModelServer):
    """Ollama's dialect: lines of JSON."""

    model = "scripted:7b"
    generate_route = "POST /api/chat"
    content_type = "application/x-ndjson"
    streams_unasked = True

    @property
    def url(self) -> str:
        """What OLLAMA_URL takes."""
        return self.base

    def plain(self, route: str, content: bytes) -> dict[str, Any] | None:
        if route == "GET /api/version":
            return {"version": "0.9.0"}
        if route == "GET /api/tags":
            return {"models": [{"name": self.model}]}
        if route == "POST /api/show" and json.loads(content).get("model") == self.model:
            info = {"general.architecture": "llama", "general.parameter_count": 7_000_000_000}
            modelfile = f"# Modelfile\nFROM /root/.ollama/models/blobs/sha256-{DIGEST}\nTEMPLATE x\n"
            return {"modelfile": modelfile, "model_info": info | {"llama.context_length": 32768}}
        return None

    def understood(self, body: dict[str, Any], headers: dict[str, str]) -> Asked:
        options = body.get("options") or {}
        schema = body.get("format") or None
        stops = tuple(options.get("stop") or ())
        return Asked(body, headers, body["messages"][-1]["content"], schema, stops, options.get("num_predict") or 256)

    def framed(self, data: str) -> bytes:
        return f"{data}\n".encode()

    def piece(self, word: str) -> bytes:
        return self._line({"message": {"role": "assistant", "content": word}, "done": False})

    def ending(self, answer: Answer, asked: Asked) -> list[bytes]:
        return [self._line(self._done("", answer, asked))]

    def whole(self, answer: Answer, asked: Asked) -> dict[str, Any]:
        return {"model": self.model, **self._done("".join(answer.words), answer, asked)}

    def _line(self, value: dict[str, Any]) -> bytes:
        return self.framed(json.dumps({"model": self.model, **value}))

    def _done(self, text: str, answer: Answer, asked: Asked) -> dict[str, Any]:
        counts = {"prompt_eval_count": prompt_words(asked), "eval_count": len(answer.words)}
        return {
            "message": {"role": "assistant", "content": text}, "done": True, "done_reason": answer.reason, **counts,
        }  # fmt: skip
