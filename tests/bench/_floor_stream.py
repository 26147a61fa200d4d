"""The floor's GenerateMany: one stream for all, and in each of its messages what there is when it is written."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from itertools import count
from typing import Any

from bench._floor import CALL_SECONDS, channel
from contracts.llm.v1 import llm_pb2, llm_pb2_grpc

One = Callable[[llm_pb2.GenerateRequest, Any], AsyncIterator[llm_pb2.GenerateResponse]]


class Generations:
    """The coach's side."""

    def __init__(self, port: int) -> None:
        self._stub: Any = llm_pb2_grpc.LlmInferenceStub(channel(port))
        self._ids = count(1)
        self._ends: dict[int, asyncio.Future[None]] = {}
        self._next = llm_pb2.GenerateManyRequest()
        self._wake = asyncio.Event()
        self._running: asyncio.Future[Any] | None = None

    async def generate(self, request: llm_pb2.GenerateRequest) -> None:
        """Return when it has ended."""
        if self._running is None:
            call = self._stub.GenerateMany()
            self._running = asyncio.gather(self._write(call), self._read(call))
        own = next(self._ids)
        end = self._ends[own] = asyncio.get_running_loop().create_future()
        self._next.starts.add(call_id=own, request=request, deadline_seconds=CALL_SECONDS)
        self._wake.set()
        await end

    async def _write(self, call: Any) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            message, self._next = self._next, llm_pb2.GenerateManyRequest()
            await call.write(message)

    async def _read(self, call: Any) -> None:
        while True:
            for event in (await call.read()).events:
                if event.WhichOneof("event") == "end":
                    self._ends.pop(event.call_id).set_result(None)


async def frames(
    one: One, requests: AsyncIterable[llm_pb2.GenerateManyRequest]
) -> AsyncIterator[llm_pb2.GenerateManyResponse]:
    """Answer a stream, by what answers one: the model's side."""
    frame, wake, tasks = llm_pb2.GenerateManyResponse(), asyncio.Event(), set()

    async def answer(start: llm_pb2.GenerationStart) -> None:
        async for response in one(start.request, None):
            frame.events.add(call_id=start.call_id, response=response)
            wake.set()
        frame.events.add(call_id=start.call_id, end=llm_pb2.GenerationEnd())
        wake.set()

    async def read() -> None:
        async for request in requests:
            for start in request.starts:
                task = asyncio.create_task(answer(start))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    tasks.add(asyncio.create_task(read()))
    while True:
        await wake.wait()
        wake.clear()
        told, frame = frame, llm_pb2.GenerateManyResponse()
        yield told
