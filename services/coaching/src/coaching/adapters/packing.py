"""Calls in lists where the peer takes lists, else one by one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeAlias, TypeVar

import grpc

from kit.clock import Clock

SINGLY_SECONDS = 60.0  # a peer of before the lists is asked for single calls so long, and then for lists again
# The peer as a whole does not answer: it would answer none of them alone.
AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
ALONE = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Answer(Protocol[R_co]):
    """What a list holds for one call: a code of gRPC, 0 where there is a response."""

    @property
    def code(self) -> int: ...

    @property
    def response(self) -> R_co: ...


class NotAnsweredError(Exception):
    """One call of a list failed; the text is the code's number."""


Outcome: TypeAlias = R | NotAnsweredError | grpc.aio.AioRpcError


class Packed(Generic[Q, R]):
    """One method. Where a list fails as a whole, each of its calls is made alone: what one did harms no other."""

    def __init__(
        self,
        many: Callable[[Sequence[Q]], Awaitable[Sequence[Answer[R]]]],
        alone: Callable[[Q], Awaitable[R]],
        clock: Clock,
    ) -> None:
        self._many = many
        self._alone = alone
        self._clock = clock
        self._singly_until = float("-inf")

    async def __call__(self, requests: Sequence[Q]) -> list[Outcome[R]]:
        """Return for each request, in order, its response or its error. Never raises an AioRpcError."""
        if len(requests) > 1 and self._clock.monotonic() >= self._singly_until:
            try:
                answers = await self._many(requests)
            except grpc.aio.AioRpcError as error:
                if error.code() in AWAY:
                    return [error] * len(requests)
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    self._singly_until = self._clock.monotonic() + SINGLY_SECONDS
            else:
                pairs = zip(requests, answers, strict=True)
                return [await self._outcome(request, answer) for request, answer in pairs]
        return list(await asyncio.gather(*map(self._singly, requests)))

    async def _outcome(self, request: Q, answer: Answer[R]) -> Outcome[R]:
        if answer.code == ALONE:
            return await self._singly(request)
        return NotAnsweredError(str(answer.code)) if answer.code else answer.response

    async def _singly(self, request: Q) -> Outcome[R]:
        try:
            return await self._alone(request)
        except grpc.aio.AioRpcError as error:
            return error
