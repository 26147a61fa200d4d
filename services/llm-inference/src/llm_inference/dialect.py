"""The chat-completions dialect that OpenAI defined and most model servers speak, llama.cpp's included."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from typing import Any

from llm_inference import wire
from llm_inference.domain.completion import Completion, Delta, Ended, FinishReason


def body(request: Completion) -> dict[str, Any]:
    """Return the request's JSON, without the model's name."""
    found: dict[str, Any] = {
        "messages": [{"role": message.speaker.value, "content": message.text} for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.stop:
        found["stop"] = list(request.stop)
    if request.seed is not None:
        found["seed"] = request.seed
    if request.schema is not None:
        schema = {"name": "answer", "schema": request.schema, "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    return found


async def events(stream: AsyncIterable[bytes]) -> AsyncGenerator[Delta | Ended, None]:
    """Yield deltas, then Ended. Where the server counts nothing, each piece of text counts as one token."""
    reason, usage, pieces = FinishReason.STOP, dict[str, Any](), 0
    async with aclosing(wire.sse(stream)) as chunks:
        async for chunk in chunks:
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices") or ():
                if choice.get("finish_reason") == "length":
                    reason = FinishReason.LENGTH
                if text := (choice.get("delta") or {}).get("content"):
                    pieces += 1
                    yield Delta(text)
    details = usage.get("prompt_tokens_details") or {}
    yield Ended(
        reason,
        prompt_tokens=usage.get("prompt_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        generated_tokens=usage.get("completion_tokens") or pieces,
    )
