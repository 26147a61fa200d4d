"""The one use case: wait for a turn at the model, generate, and stop at the deadline or when nobody listens."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeVar

from kit.metrics import AI_SECONDS
from llm_inference.app import meters
from llm_inference.app.admission import Admission
from llm_inference.app.coalesce import batches
from llm_inference.app.ports import ModelProvider
from llm_inference.domain.breaker import Breaker
from llm_inference.domain.completion import Completion, Delta, Ended, Event, Finished, Model
from llm_inference.domain.errors import BackendUnavailableError, CompletionError, TooLateError
from llm_inference.domain.limits import Limits
from llm_inference.domain.line import Line

T = TypeVar("T")


class Generate:
    """Answers completions, as many at once as the line lets through."""

    def __init__(
        self, provider: ModelProvider, line: Line, breaker: Breaker, limits: Limits, now: Callable[[], float]
    ) -> None:
        self._provider = provider
        self._admission = Admission(line)
        self._breaker = breaker
        self._limits = limits
        self._now = now

    async def __call__(self, request: Completion, seconds: float) -> AsyncGenerator[Event, None]:
        """Yield Queued while waiting, deltas, then one Finished, all within `seconds`. Raises CompletionError.

        Closing the generator leaves the line, and stops the generation at the backend.
        """
        try:
            self._limits.check(request)
            self._require_backend()
            async with aclosing(self._in_turn(request, seconds)) as events:
                async for event in events:
                    yield event
        except CompletionError as error:
            meters.REFUSED.labels(error.label).inc()
            raise

    async def describe(self) -> Model:
        """Return which model answers. Raises BackendUnavailableError."""
        return await self._provider.describe()

    async def check(self) -> None:
        """Raise BackendUnavailableError when the model does not answer."""
        self._require_backend()
        await self._provider.check()

    async def _in_turn(self, request: Completion, seconds: float) -> AsyncGenerator[Event, None]:
        deadline = self._now() + seconds
        ticket = self._admission.join(request.priority, seconds)
        asked_at: float | None = None
        try:
            async with aclosing(self._admission.wait(ticket)) as places:
                while (place := await self._before(deadline, places)) is not None:
                    yield place
            self._require_backend()
            asked_at = self._now()
            async with aclosing(self._generated(request, deadline)) as events:
                async for event in events:
                    yield event
        finally:
            self._admission.leave(ticket, None if asked_at is None else self._now() - asked_at)

    async def _generated(self, request: Completion, deadline: float) -> AsyncGenerator[Event, None]:
        asked_at = self._now()
        first_at: float | None = None
        try:
            model = await self._provider.describe()
            async with aclosing(batches(self._provider.stream(request))) as stream:
                while (batch := await self._before(deadline, stream)) is not None:
                    text = "".join(item.text for item in batch if isinstance(item, Delta))
                    if text:
                        first_at = first_at or self._now()
                        yield Delta(text)
                    for ended in (item for item in batch if isinstance(item, Ended)):
                        self._breaker.succeeded()
                        yield self._finished(ended, model, asked_at, first_at or self._now())
        except BackendUnavailableError:
            self._breaker.failed(self._now())
            raise

    async def _before(self, deadline: float, source: AsyncGenerator[T, None]) -> T | None:
        """Return the next item of `source`, or None after the last. Raises TooLateError at the deadline."""
        try:
            async with asyncio.timeout(deadline - self._now()):
                return await anext(source, None)
        except TimeoutError:
            raise TooLateError("the deadline passed before the model ended") from None

    def _require_backend(self) -> None:
        wait = self._breaker.wait_seconds(self._now())
        if wait > 0:
            raise BackendUnavailableError(
                f"the model failed repeatedly and is left alone for {wait:.0f} more seconds: see this service's /ready"
            )

    def _finished(self, ended: Ended, model: Model, asked_at: float, first_at: float) -> Finished:
        now = self._now()
        label = model.provider
        AI_SECONDS.labels(label).observe(now - asked_at)
        meters.FIRST_TOKEN_SECONDS.labels(label).observe(first_at - asked_at)
        meters.PROMPT_TOKENS.labels(label).inc(ended.prompt_tokens)
        meters.CACHED_TOKENS.labels(label).inc(ended.cached_tokens)
        meters.GENERATED_TOKENS.labels(label).inc(ended.generated_tokens)
        return Finished(ended, model, first_at - asked_at, now - first_at)
