"""LlmInference over gRPC: contract types in and out, errors as status codes. Texts are never logged."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, cast

import grpc

from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from llm_inference.app.generate import Generate
from llm_inference.domain.completion import (
    Completion,
    Delta,
    Event,
    FinishReason,
    Message,
    Model,
    Priority,
    Queued,
    Speaker,
)
from llm_inference.domain.errors import (
    BackendUnavailableError,
    BusyError,
    CompletionError,
    InvalidRequestError,
    TooLateError,
)
from llm_inference.domain.schema import check_schema
from llm_inference.entrypoints.many import GenerateMany

Context = grpc.aio.ServicerContext[Any, Any]

DEFAULT_MAX_TOKENS = 256
SCHEMA_CHARACTERS = 16_000
SPEAKERS: Mapping[int, Speaker] = {
    llm_pb2.SPEAKER_SYSTEM: Speaker.SYSTEM,
    llm_pb2.SPEAKER_USER: Speaker.USER,
    llm_pb2.SPEAKER_ASSISTANT: Speaker.ASSISTANT,
}
REASONS: Mapping[FinishReason, llm_pb2.FinishReason.ValueType] = {
    FinishReason.STOP: llm_pb2.FINISH_REASON_STOP,
    FinishReason.LENGTH: llm_pb2.FINISH_REASON_LENGTH,
}
CODES: Mapping[type[CompletionError], grpc.StatusCode] = {
    InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    BusyError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    BackendUnavailableError: grpc.StatusCode.UNAVAILABLE,
    TooLateError: grpc.StatusCode.DEADLINE_EXCEEDED,
}


class LlmInferenceServicer(llm_pb2_grpc.LlmInferenceServicer):
    """Serves one Generate use case; the kit's server makes sure of a deadline."""

    def __init__(self, generate: Generate) -> None:
        self._generate = generate
        self._many = GenerateMany(self.Generate)

    async def Generate(
        self, request: llm_pb2.GenerateRequest, context: Context
    ) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        """Stream one completion."""
        seconds: float = context.time_remaining()
        try:
            async with aclosing(self._generate(completion(request), seconds)) as events:
                async for event in events:
                    yield response(event)
        except CompletionError as error:
            await context.abort(CODES[type(error)], str(error))

    async def GenerateMany(
        self, requests: AsyncIterator[llm_pb2.GenerateManyRequest], _context: Context
    ) -> AsyncGenerator[llm_pb2.GenerateManyResponse, None]:
        """Stream many completions."""
        async with aclosing(self._many(requests)) as frames:
            async for frame in frames:
                yield frame

    async def stop(self) -> None:
        """Ask those who hold a stream to start no more completions in it."""
        await self._many.stop()

    async def DescribeModel(
        self, _request: llm_pb2.DescribeModelRequest, context: Context
    ) -> llm_pb2.DescribeModelResponse:
        """Say which model answers."""
        try:
            model = await self._generate.describe()
        except CompletionError as error:
            await context.abort(CODES[type(error)], str(error))
        return llm_pb2.DescribeModelResponse(model=model_message(model))


def completion(request: llm_pb2.GenerateRequest) -> Completion:
    """Translate a request. Raises InvalidRequestError."""
    interactive = request.priority == llm_pb2.PRIORITY_INTERACTIVE
    return Completion(
        messages=tuple(_message(message) for message in request.messages),
        max_tokens=request.max_tokens or DEFAULT_MAX_TOKENS,
        temperature=request.temperature,
        stop=tuple(request.stop),
        schema=_schema(request.json_schema) if request.json_schema else None,
        priority=Priority.INTERACTIVE if interactive else Priority.BACKGROUND,
        cache_key=request.cache_key,
        seed=request.seed or None,
    )


def response(event: Event) -> llm_pb2.GenerateResponse:
    """Translate what a use case tells."""
    if isinstance(event, Delta):
        return llm_pb2.GenerateResponse(delta=llm_pb2.Delta(text=event.text))
    if isinstance(event, Queued):
        return llm_pb2.GenerateResponse(queued=llm_pb2.Queued(ahead=event.ahead))
    finish = llm_pb2.Finish(
        reason=REASONS[event.ended.reason],
        prompt_tokens=event.ended.prompt_tokens,
        cached_tokens=event.ended.cached_tokens,
        generated_tokens=event.ended.generated_tokens,
        model=model_message(event.model),
        first_token_seconds=event.first_token_seconds,
        generation_seconds=event.generation_seconds,
    )
    return llm_pb2.GenerateResponse(finish=finish)


def model_message(model: Model) -> llm_pb2.Model:
    """Translate a model's description."""
    return llm_pb2.Model(
        name=model.name,
        sha256=model.sha256,
        provider=model.provider,
        free_prose=model.free_prose,
        context_tokens=model.context_tokens,
        keeps_prompts=model.keeps_prompts,
    )


def _message(message: llm_pb2.PromptMessage) -> Message:
    speaker = SPEAKERS.get(message.speaker)
    if speaker is None:
        raise InvalidRequestError("a message names no speaker")
    return Message(speaker, message.text)


def _schema(text: str) -> Mapping[str, Any]:
    if len(text) > SCHEMA_CHARACTERS:
        raise InvalidRequestError(f"json_schema has at most {SCHEMA_CHARACTERS} characters")
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequestError("json_schema is no JSON") from None
    check_schema(schema)
    return cast("Mapping[str, Any]", schema)
