"""A scripted llm-inference behind real gRPC: what it says, how fast, and how it fails are set by the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import grpc

from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from llm_inference.entrypoints.many import GenerateMany

Script = Callable[[llm_pb2.GenerateRequest], list[str]]
MODEL = llm_pb2.Model(name="scripted", sha256="ab" * 32, provider="embedded", free_prose=True, context_tokens=2048)


def echo(request: llm_pb2.GenerateRequest) -> list[str]:
    """Answer with the last line of what the person wrote, so that a test sees which messages were answered."""
    words = request.messages[-1].text.split("\n\n(", 1)[0].replace("\n", " / ")
    return ["I heard", f": {words}. ", "What ", "else?"]


class ScriptedLlm(llm_pb2_grpc.LlmInferenceServicer):
    """LlmInference by a script; it keeps every request."""

    def __init__(self) -> None:
        self.model = MODEL
        self.script: Script = echo
        self.pause_seconds = 0.0  # before each piece
        self.queued = 0  # tells the caller that so many are ahead
        self.fail_at: int | None = None  # fails before the piece of this number
        self.failure = grpc.StatusCode.UNAVAILABLE
        self.requests: list[llm_pb2.GenerateRequest] = []
        self.running = 0
        self.most_running = 0
        self.packs = True  # False: one of before GenerateMany
        self.streams = 0
        self.open_streams = 0
        self.many = GenerateMany(self.Generate)

    async def DescribeModel(  # noqa: N802  # as the proto names it
        self, request: llm_pb2.DescribeModelRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> llm_pb2.DescribeModelResponse:
        return llm_pb2.DescribeModelResponse(model=self.model)

    async def GenerateMany(  # noqa: N802  # as the proto names it
        self, requests: AsyncIterator[llm_pb2.GenerateManyRequest], context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[llm_pb2.GenerateManyResponse]:
        if not self.packs:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED)
        self.streams += 1
        self.open_streams += 1
        try:
            async with aclosing(self.many(requests)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            self.open_streams -= 1

    async def Generate(  # noqa: N802  # as the proto names it
        self, request: llm_pb2.GenerateRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[llm_pb2.GenerateResponse]:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.queued:
                yield llm_pb2.GenerateResponse(queued=llm_pb2.Queued(ahead=self.queued))
            pieces = chosen(request) if request.json_schema else self.script(request)
            for number, piece in enumerate(pieces):
                await asyncio.sleep(self.pause_seconds)
                if number == self.fail_at:
                    await context.abort(self.failure, "scripted")
                yield llm_pb2.GenerateResponse(delta=llm_pb2.Delta(text=piece))
            yield llm_pb2.GenerateResponse(
                finish=llm_pb2.Finish(
                    reason=llm_pb2.FINISH_REASON_STOP, prompt_tokens=50, cached_tokens=40,
                    generated_tokens=len(pieces), model=self.model,
                )
            )  # fmt: skip
        finally:
            self.running -= 1


def chosen(request: llm_pb2.GenerateRequest) -> list[str]:
    """Choose the first of each enum in the request's JSON schema, as a constrained model would choose one of them."""
    properties = json.loads(request.json_schema)["properties"]
    text = json.dumps({name: allowed["enum"][0] for name, allowed in properties.items()}, ensure_ascii=False)
    return [text[at : at + 5] for at in range(0, len(text), 5)]
