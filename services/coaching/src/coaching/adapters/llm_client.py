"""The model, as llm-inference serves it."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc

from coaching.adapters.generation_stream import GenerationError
from coaching.adapters.generations import Generations
from coaching.app.ports import Finished, ModelCard, ModelError, ModelEvent, ModelRequest, Waiting, Words
from coaching.domain.prompt import Speaker
from coaching.domain.turn import Failure, ModelUse
from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from kit.metrics import AI_SECONDS

DESCRIBE_SECONDS = 5.0  # long enough for one that is being started again
CARD_SECONDS = 60.0  # a card is asked for again after this, and after a failure
_SPEAKERS = {
    Speaker.SYSTEM: llm_pb2.SPEAKER_SYSTEM,
    Speaker.PERSON: llm_pb2.SPEAKER_USER,
    Speaker.COACH: llm_pb2.SPEAKER_ASSISTANT,
}
_FAILURES = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: Failure.MODEL_BUSY,
    grpc.StatusCode.DEADLINE_EXCEEDED: Failure.MODEL_TIMEOUT,
    grpc.StatusCode.INVALID_ARGUMENT: Failure.MODEL_REFUSED,
}


class LlmClient:
    """Model over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = llm_pb2_grpc.LlmInferenceStub(channel)
        self._generations = Generations(self._stub)
        self._card: ModelCard | None = None
        self._card_until = 0.0

    async def describe(self) -> ModelCard:
        """Return which model answers; asked once a minute."""
        if self._card is None or time.monotonic() > self._card_until:
            try:
                found = await self._stub.DescribeModel(
                    llm_pb2.DescribeModelRequest(), timeout=DESCRIBE_SECONDS, wait_for_ready=True
                )
            except grpc.RpcError as error:
                raise ModelError(Failure.MODEL_UNAVAILABLE) from error
            model = found.model
            self._card = ModelCard(
                model.name, model.sha256, model.provider, model.free_prose, model.context_tokens, model.keeps_prompts
            )
            self._card_until = time.monotonic() + CARD_SECONDS
        return self._card

    async def generate(self, request: ModelRequest, seconds: float) -> AsyncGenerator[ModelEvent, None]:
        """Stream one completion within `seconds`."""
        begun = time.monotonic()
        provider = self._card.provider if self._card else ""
        try:
            async with aclosing(self._responses(_request(request), seconds)) as responses:
                async for response in responses:
                    event = _event(response)
                    if event is not None:
                        yield event
        except (GenerationError, grpc.RpcError) as error:
            self._card = None
            raise _model_error(error) from error
        finally:
            AI_SECONDS.labels(provider).observe(time.monotonic() - begun)

    async def _responses(
        self, request: llm_pb2.GenerateRequest, seconds: float
    ) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        """Ask among others in a stream, or alone where the server is older than that. Closing this cancels it."""
        if self._generations.usable(seconds):
            try:
                async with aclosing(self._generations.generate(request, seconds)) as responses:
                    async for response in responses:
                        yield response
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                    raise
            else:
                return
        call = self._stub.Generate(request, timeout=seconds)
        try:
            async for response in call:
                yield response
        finally:
            call.cancel()


def _request(request: ModelRequest) -> llm_pb2.GenerateRequest:
    return llm_pb2.GenerateRequest(
        messages=[
            llm_pb2.PromptMessage(speaker=_SPEAKERS[message.speaker], text=message.text) for message in request.messages
        ],
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        stop=request.stop,
        json_schema=request.json_schema,
        priority=llm_pb2.PRIORITY_BACKGROUND if request.background else llm_pb2.PRIORITY_INTERACTIVE,
        cache_key=request.cache_key,
    )


def _event(response: llm_pb2.GenerateResponse) -> ModelEvent | None:
    match response.WhichOneof("event"):
        case "queued":
            return Waiting(response.queued.ahead)
        case "delta":
            return Words(response.delta.text)
        case "finish":
            return _finished(response.finish)
    return None


def _finished(finish: llm_pb2.Finish) -> Finished:
    model = finish.model
    use = ModelUse(
        model.name, model.sha256, model.provider, finish.prompt_tokens, finish.cached_tokens, finish.generated_tokens
    )
    return Finished(use, finish.reason != llm_pb2.FINISH_REASON_LENGTH)


def _model_error(error: GenerationError | grpc.RpcError) -> ModelError:
    match error:
        case GenerationError(code=code):
            return ModelError(_FAILURES.get(code, Failure.MODEL_UNAVAILABLE))
        case grpc.aio.AioRpcError():
            return ModelError(_FAILURES.get(error.code(), Failure.MODEL_UNAVAILABLE))
    return ModelError(Failure.MODEL_UNAVAILABLE)
