"""Has the model read the beginning that all prompts share, so that the first person does not wait for it."""

from contextlib import aclosing

from coaching.app.ports import Model, ModelCard, ModelError, ModelRequest
from coaching.domain import prompt
from coaching.domain.curated import compose
from kit import log

ANYTHING = "Hello"
SECONDS = 120.0  # 100 tokens of instructions take five on two old cores
_log = log.get_logger("coaching.warm")


class Warm:
    """The work of a loop: once for each model that keeps what it has read, again after another one was put in."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._done: ModelCard | None = None

    async def __call__(self) -> int:
        """Return how many beginnings were read: 1, or 0 where there was nothing to do or no model to be had."""
        try:
            card = await self._model.describe()
            if card == self._done or not card.keeps_prompts:
                return 0
            messages = prompt.rendered((), ANYTHING) if card.free_prose else compose.choice_prompt(ANYTHING)
            request = ModelRequest(messages, max_tokens=1, temperature=0.0, cache_key="", background=True)
            async with aclosing(self._model.generate(request, SECONDS)) as events:
                async for _ in events:
                    continue
        except ModelError as error:
            _log.info("warming_postponed", reason=error.failure.value)
            return 0
        self._done = card
        _log.info("model_warmed", model=card.name)
        return 1
