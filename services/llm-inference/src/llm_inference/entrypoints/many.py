"""Many generations over one stream: each is a Generate of its own, under a context of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, NoReturn
from uuid import uuid4

import grpc

from contracts.llm.v1 import llm_pb2
from kit.grpc_server import streaming

METHOD = "/contracts.llm.v1.LlmInference/Generate"
Generate = Callable[[llm_pb2.GenerateRequest, Any], AsyncIterator[llm_pb2.GenerateResponse]]


class GenerationContext:
    """What Generate, and the kit around it, need of a gRPC context."""

    def __init__(self, start: llm_pb2.GenerationStart) -> None:
        self._now = asyncio.get_running_loop().time
        self._until = self._now() + start.deadline_seconds if start.deadline_seconds > 0 else None
        self._trace = tuple(start.trace.items())
        self.end = llm_pb2.GenerationEnd()

    def time_remaining(self) -> float | None:
        """Return the seconds until the deadline, None where there is none."""
        return None if self._until is None else self._until - self._now()

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the trace context."""
        return self._trace

    def set_trailing_metadata(self, _: object) -> None:
        """Leave it: inside a stream the library makes nothing again."""

    async def abort(self, code: grpc.StatusCode, details: str = "") -> NoReturn:
        """End this generation, and no other."""
        self.end = llm_pb2.GenerationEnd(code=code.value[0], text=details)
        raise grpc.aio.AbortError


class GenerateMany:
    """Answers streams of generations by a Generate of single ones; create one for each process."""

    def __init__(self, generate: Generate) -> None:
        self._generate: Generate = streaming(generate, METHOD)
        self._replica = uuid4().hex
        self._streams: set[_Stream] = set()
        self._stopping = False

    async def __call__(
        self, requests: AsyncIterable[llm_pb2.GenerateManyRequest]
    ) -> AsyncGenerator[llm_pb2.GenerateManyResponse, None]:
        """Answer one stream; closing this ends all of its generations."""
        yield llm_pb2.GenerateManyResponse(replica=self._replica, stopping=self._stopping)
        stream = _Stream(self._generate)
        self._streams.add(stream)
        try:
            async with aclosing(stream.frames(requests)) as frames:
                async for frame in frames:
                    yield frame
        finally:
            self._streams.discard(stream)

    async def stop(self) -> None:
        """Ask all callers to start no more here."""
        self._stopping = True
        for stream in self._streams:
            stream.stop()


class _Stream:
    def __init__(self, generate: Generate) -> None:
        self._generate = generate
        self._next = llm_pb2.GenerateManyResponse()
        self._wake = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def frames(
        self, requests: AsyncIterable[llm_pb2.GenerateManyRequest]
    ) -> AsyncGenerator[llm_pb2.GenerateManyResponse, None]:
        """Yield what has been told since the last time, until the caller has closed and all have ended."""
        reading = asyncio.create_task(self._read(requests))
        reading.add_done_callback(lambda _: self._wake.set())
        try:
            while self._next.events or self._tasks or not reading.done():
                await self._wake.wait()
                self._wake.clear()
                if self._next.events or self._next.stopping:
                    frame, self._next = self._next, llm_pb2.GenerateManyResponse()
                    yield frame
            await reading  # raises what it raised
        finally:
            tasks = [reading, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        self._next.stopping = True
        self._wake.set()

    async def _read(self, requests: AsyncIterable[llm_pb2.GenerateManyRequest]) -> None:
        async for request in requests:
            for start in request.starts:
                self._start(start)
            for call_id in request.cancels:
                if (task := self._tasks.get(call_id)) is not None:
                    task.cancel()

    def _start(self, start: llm_pb2.GenerationStart) -> None:
        if start.call_id in self._tasks:
            return  # used once in a stream
        task = self._tasks[start.call_id] = asyncio.create_task(self._run(start))
        task.add_done_callback(lambda _: self._ended(start.call_id))

    def _ended(self, call_id: int) -> None:
        del self._tasks[call_id]
        self._wake.set()  # also where it was cancelled: the stream may have waited for it alone

    async def _run(self, start: llm_pb2.GenerationStart) -> None:
        context = GenerationContext(start)
        try:
            async for response in self._generate(start.request, context):
                self._next.events.add(call_id=start.call_id, response=response)
                self._wake.set()
        except grpc.aio.AbortError:
            pass  # said by the context
        self._next.events.add(call_id=start.call_id, end=context.end)
        self._wake.set()
