"""A model provider in memory: words from a script, held to the behaviour suite of the real ones."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from fakes.openai_server import Asked, answered
from llm_inference.domain.completion import Completion, Delta, Ended, FinishReason, Model
from llm_inference.domain.errors import BackendUnavailableError, InvalidRequestError

MODEL = Model("fake", "", "fake", free_prose=True, context_tokens=4096)


class FakeProvider:
    """`text(request)` is what it answers, word by word, `delay_seconds` apart; `gone` makes it fail."""

    name = "fake"
    per_worker = 1

    def __init__(
        self,
        text: Callable[[Completion], str] = lambda _: "I hear you. What would be one small step?",
        delay_seconds: float = 0.0,
    ) -> None:
        self.text = text
        self.delay_seconds = delay_seconds
        self.gone = False
        self.running = 0
        self.most_running = 0
        self.asked: list[Completion] = []

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        self.gone = True

    async def check(self) -> None:
        if self.gone:
            raise BackendUnavailableError("the fake is gone: bring it back")

    async def describe(self) -> Model:
        return MODEL

    async def stream(self, request: Completion) -> AsyncGenerator[Delta | Ended, None]:
        await self.check()
        words = [word for message in request.messages for word in message.text.split()]
        if len(words) > MODEL.context_tokens:
            raise InvalidRequestError("too long")
        self.asked.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            schema = dict(request.schema) if request.schema is not None else None
            answer = answered(Asked({}, {}, "", schema, request.stop, request.max_tokens), self.text(request))
            for word in answer.words:
                await asyncio.sleep(self.delay_seconds)
                await self.check()
                yield Delta(word)
            yield Ended(FinishReason(answer.reason), len(words), 0, len(answer.words))
        finally:
            self.running -= 1
