"""The shared beginning of prompts is read once, early, and by nobody's leave but the model's."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from coaching.app.ports import Finished, ModelCard, ModelError, ModelEvent, ModelRequest
from coaching.app.warm import Warm
from coaching.domain.turn import Failure, ModelUse

KEEPS = ModelCard("big", "ab", "embedded", free_prose=True, context_tokens=4096, keeps_prompts=True)


class Reader:
    """A model that notes what it was given to read."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.away = False
        self.read: list[ModelRequest] = []

    async def describe(self) -> ModelCard:
        if self.away:
            raise ModelError(Failure.MODEL_UNAVAILABLE)
        return self.card

    async def generate(self, request: ModelRequest, seconds: float) -> AsyncGenerator[ModelEvent, None]:
        assert seconds > 0
        self.read.append(request)
        yield Finished(ModelUse("big", "ab", "embedded"), complete=False)


@pytest.mark.parametrize("free_prose", [True, False])
async def test_it_is_read_once_in_the_background_with_nobody_in_it(free_prose: bool) -> None:
    model = Reader(replace(KEEPS, free_prose=free_prose))
    warm = Warm(model)
    assert [await warm(), await warm()] == [1, 0]
    [request] = model.read
    assert (request.background, request.max_tokens, request.cache_key) == (True, 1, "")


async def test_another_model_reads_it_anew() -> None:
    model = Reader(KEEPS)
    warm = Warm(model)
    await warm()
    model.card = replace(KEEPS, sha256="cd")
    assert await warm() == 1


async def test_a_model_that_keeps_nothing_is_not_asked() -> None:
    model = Reader(replace(KEEPS, keeps_prompts=False))
    assert await Warm(model)() == 0
    assert model.read == []


async def test_a_model_that_is_away_is_warmed_when_it_is_back() -> None:
    model = Reader(KEEPS)
    model.away = True
    warm = Warm(model)
    assert await warm() == 0
    model.away = False
    assert await warm() == 1
