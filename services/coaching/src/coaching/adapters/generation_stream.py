"""One open GenerateMany: what is asked while a message is being written goes together in the next."""

import asyncio
from itertools import count, islice
from typing import TypeAlias

import grpc

from contracts.llm.v1 import llm_pb2
from kit import tracing

Call: TypeAlias = "grpc.aio.StreamStreamCall[llm_pb2.GenerateManyRequest, llm_pb2.GenerateManyResponse]"
MOST_STARTS = 64  # in a message, which may have 16 MiB (kit.grpc_server)
CODES = {code.value[0]: code for code in grpc.StatusCode}


class GenerationError(Exception):
    """A generation has failed; its text quotes nobody."""

    def __init__(self, code: grpc.StatusCode, text: str = "") -> None:
        super().__init__(text)
        self.code = code


class BrokenError(GenerationError):
    """Its stream broke, or would not open."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, "the stream broke")


class Generation:
    """One of a stream's: what it has told, until somebody takes it."""

    def __init__(self, call_id: int, until: float) -> None:
        self.call_id = call_id
        self._events: asyncio.Queue[llm_pb2.GenerationEvent | GenerationError] = asyncio.Queue()
        self._timer = asyncio.get_running_loop().call_at(
            until, self.tell, GenerationError(grpc.StatusCode.DEADLINE_EXCEEDED)
        )

    def tell(self, event: llm_pb2.GenerationEvent | GenerationError) -> None:
        """Add what has come."""
        self._events.put_nowait(event)

    async def next(self) -> llm_pb2.GenerateResponse | None:
        """Return what it tells next, None at its end. Raises GenerationError."""
        event = await self._events.get()
        if isinstance(event, GenerationError):
            raise event
        if event.WhichOneof("event") != "end":
            return event.response
        if event.end.code:
            raise GenerationError(CODES.get(event.end.code, grpc.StatusCode.UNKNOWN), event.end.text)
        return None

    def close(self) -> None:
        """Nobody takes anything any more."""
        self._timer.cancel()


class Stream:
    """Carries generations to one replica, until it is retired or breaks."""

    def __init__(self, call: Call, replica: str, until: float) -> None:
        self.replica = replica
        self._call = call
        self._until = until
        self._retired = self._broken = False
        self._ids = count(1)
        self._open: dict[int, Generation] = {}
        self._starts: dict[int, llm_pb2.GenerationStart] = {}
        self._cancels: list[int] = []
        self._wake = asyncio.Event()
        self._writer = asyncio.create_task(self._write())
        self._reader = asyncio.create_task(self._read())

    @property
    def load(self) -> int:
        """How many have not ended."""
        return len(self._open)

    def takes(self, until: float) -> bool:
        """Return whether one that may last until then can be started."""
        return until < self._until and not self._retired and not self._broken

    def start(self, request: llm_pb2.GenerateRequest, until: float) -> Generation:
        """Ask; whoever does must leave() in the end."""
        generation = Generation(next(self._ids), until)
        seconds = max(until - asyncio.get_running_loop().time(), 0.001)
        self._open[generation.call_id] = generation
        self._starts[generation.call_id] = llm_pb2.GenerationStart(
            call_id=generation.call_id, request=request, deadline_seconds=seconds, trace=tracing.inject({})
        )
        self._wake.set()
        return generation

    def leave(self, generation: Generation) -> None:
        """Forget a generation; one that has not ended is cancelled."""
        generation.close()
        unsent = self._starts.pop(generation.call_id, None) is not None
        if self._open.pop(generation.call_id, None) is not None and not unsent:
            self._cancels.append(generation.call_id)
        self._wake.set()

    def retire(self) -> None:
        """Take no more, and close when what is open has ended."""
        self._retired = True
        self._wake.set()

    async def _write(self) -> None:
        try:
            while not self._retired or self._open or self._cancels:
                await self._wake.wait()
                self._wake.clear()
                while self._starts or self._cancels:
                    cancels, self._cancels = self._cancels, []
                    starts = [self._starts.pop(own) for own in list(islice(self._starts, MOST_STARTS))]
                    await self._call.write(llm_pb2.GenerateManyRequest(starts=starts, cancels=cancels))
            await self._call.done_writing()
        except (grpc.RpcError, asyncio.InvalidStateError):
            pass  # it broke: the reader tells everybody

    async def _read(self) -> None:
        try:
            while isinstance(frame := await self._call.read(), llm_pb2.GenerateManyResponse):
                self._take(frame)
        except grpc.RpcError:
            pass  # told below
        finally:
            self._broken = True
            self._writer.cancel()
            for generation in self._open.values():
                generation.tell(BrokenError())
            self._open.clear()

    def _take(self, frame: llm_pb2.GenerateManyResponse) -> None:
        for event in frame.events:
            generation = self._open.get(event.call_id)
            if generation is None:
                continue  # nobody listens any more
            generation.tell(event)
            if event.WhichOneof("event") == "end":
                del self._open[event.call_id]
                self._wake.set()
        if frame.stopping:
            self.retire()
