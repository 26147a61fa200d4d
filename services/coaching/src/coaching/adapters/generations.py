"""Many generations over few streams: one to each replica of llm-inference, renewed before its connection ends."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextvars import Context

import grpc

from coaching.adapters.generation_stream import BrokenError, GenerationError, Stream
from contracts.llm.v1 import llm_pb2, llm_pb2_grpc

# Shorter than a server lets an old connection live on (kit.grpc_server), so that no generation is cut off by it.
STREAM_SECONDS = 145.0
LONGEST_SECONDS = 125.0  # what is given longer goes as a call of its own
RENEW_SECONDS = 10.0  # a replica that is new gets its share after this
OPEN_SECONDS = 2.0
OLDER_SECONDS = 60.0  # a server that does not know GenerateMany is asked for it again after this
REPEATS = 2  # streams are opened until so many have met no new replica
ATTEMPTS = 3  # what was lost with its stream before it began is asked for again, as kit.grpc_client does


class Generations:
    """The streams of this process; create it inside the running event loop."""

    def __init__(self, stub: "llm_pb2_grpc.LlmInferenceAsyncStub", renew_seconds: float = RENEW_SECONDS) -> None:
        self._stub = stub
        self._renew_seconds = renew_seconds
        self._streams: deque[Stream] = deque()
        self._renewing: asyncio.Task[None] | None = None
        self._renew_at = self._older_until = 0.0
        self._now = asyncio.get_running_loop().time

    def usable(self, seconds: float) -> bool:
        """Return whether a generation that may last so long can be asked for here."""
        return seconds <= LONGEST_SECONDS and self._now() >= self._older_until

    async def generate(
        self, request: llm_pb2.GenerateRequest, seconds: float
    ) -> AsyncGenerator[llm_pb2.GenerateResponse, None]:
        """Yield what one generation tells within `seconds`; closing this cancels it.

        Raises GenerationError, and grpc.RpcError where no stream opens: UNIMPLEMENTED by a server that knows none.
        """
        until = self._now() + seconds
        for attempt in range(1, ATTEMPTS + 1):
            begun = False
            stream = await self._stream(until)
            generation = stream.start(request, until)
            try:
                while (response := await generation.next()) is not None:
                    begun = True
                    yield response
            except BrokenError:
                if begun or attempt == ATTEMPTS:
                    raise
            else:
                return
            finally:
                stream.leave(generation)

    async def _stream(self, until: float) -> Stream:
        """Return the stream with the least to do of those that last so long."""
        fitting = [stream for stream in self._streams if stream.takes(until)]
        if not fitting or self._now() >= self._renew_at:
            renewing = self._renew_once()
            if not fitting:
                try:
                    async with asyncio.timeout_at(until):
                        await asyncio.shield(renewing)
                except TimeoutError:
                    raise GenerationError(grpc.StatusCode.DEADLINE_EXCEEDED) from None
                fitting = [stream for stream in self._streams if stream.takes(until)]
        if not fitting:
            raise BrokenError
        self._streams.rotate()  # equals take turns
        return min(fitting, key=lambda stream: stream.load)

    def _renew_once(self) -> asyncio.Task[None]:
        if self._renewing is None or self._renewing.done():
            self._renew_at = self._now() + self._renew_seconds
            # In no turn's trace: the streams serve all of them.
            self._renewing = asyncio.create_task(self._renew(), context=Context())
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._renewing

    async def _renew(self) -> None:
        """Open a stream to each replica: the channel takes them in turns, and each says who it is."""
        found: dict[str, Stream] = {}
        repeats = 0
        while repeats < REPEATS:
            try:
                stream = await self._opened()
            except grpc.RpcError as error:
                if isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    self._older_until = self._now() + OLDER_SECONDS
                elif found:
                    break
                _retire(found.values())
                raise
            except TimeoutError:  # one that hangs
                repeats += 1
                continue
            if stream.replica in found:
                stream.retire()
                repeats += 1
            else:
                found[stream.replica] = stream
                repeats = 0
        if not found:
            raise BrokenError
        earlier, self._streams = self._streams, deque(found.values())
        _retire(earlier)

    async def _opened(self) -> Stream:
        call = self._stub.GenerateMany(timeout=STREAM_SECONDS)  # type: ignore[call-arg]  # written to, not given
        until = self._now() + STREAM_SECONDS
        async with asyncio.timeout(OPEN_SECONDS):
            first = await call.read()
        if not isinstance(first, llm_pb2.GenerateManyResponse):
            raise BrokenError
        stream = Stream(call, first.replica, until)
        if first.stopping:
            stream.retire()
        return stream


def _retire(streams: Iterable[Stream]) -> None:
    for stream in streams:
        stream.retire()
