"""The use case: a turn at the model, within a deadline, with one way to end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from fakes.model_provider import FakeProvider
from llm_inference.app.generate import Generate
from llm_inference.domain.breaker import Breaker
from llm_inference.domain.completion import Completion, Delta, Event, Finished, Message, Priority, Queued, Speaker
from llm_inference.domain.errors import BackendUnavailableError, BusyError, InvalidRequestError, TooLateError
from llm_inference.domain.limits import Limits
from llm_inference.domain.line import Line

ASK = Completion(messages=(Message(Speaker.USER, "hello"),), priority=Priority.INTERACTIVE)


def made(
    provider: FakeProvider,
    workers: int = 1,
    most_waiting: int = 10,
    breaker: Breaker | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Generate:
    return Generate(provider, Line(workers, most_waiting), breaker or Breaker(), Limits(4096), now)


async def events(stream: AsyncGenerator[Event, None]) -> list[Event]:
    async with aclosing(stream):
        return [event async for event in stream]


def text(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Delta))


async def test_deltas_then_one_finish_with_counts_and_times() -> None:
    found = await events(made(FakeProvider(delay_seconds=0.005))(ASK, 5.0))
    assert text(found) == "I hear you. What would be one small step?"
    finish = found[-1]
    assert isinstance(finish, Finished)
    assert sum(isinstance(event, Finished) for event in found) == 1
    assert finish.ended.generated_tokens == 9
    assert finish.first_token_seconds > 0.004
    assert finish.generation_seconds > 0.02


async def test_whoever_waits_is_told_how_many_are_ahead() -> None:
    generate = made(FakeProvider(delay_seconds=0.005))
    first, second, third = await asyncio.gather(*(events(generate(ASK, 5.0)) for _ in range(3)))
    assert not any(isinstance(event, Queued) for event in first)
    assert [event.ahead for event in second if isinstance(event, Queued)] == [0]
    assert [event.ahead for event in third if isinstance(event, Queued)] == [1, 0]


async def test_workers_bound_what_runs_at_once() -> None:
    provider = FakeProvider(delay_seconds=0.002)
    generate = made(provider, workers=3)
    await asyncio.gather(*(events(generate(ASK, 5.0)) for _ in range(9)))
    assert provider.most_running == 3


async def test_a_full_line_is_refused_at_once() -> None:
    generate = made(FakeProvider(delay_seconds=0.02), most_waiting=1)
    taken = [asyncio.create_task(events(generate(ASK, 5.0))) for _ in range(2)]
    await asyncio.sleep(0.01)
    with pytest.raises(BusyError):
        await events(generate(ASK, 5.0))
    await asyncio.gather(*taken)


async def test_background_work_that_was_displaced_is_told_so() -> None:
    generate = made(FakeProvider(delay_seconds=0.02), most_waiting=1)
    running = asyncio.create_task(events(generate(ASK, 5.0)))
    await asyncio.sleep(0.01)
    nudge = asyncio.create_task(events(generate(Completion(ASK.messages), 5.0)))
    await asyncio.sleep(0.01)
    person = asyncio.create_task(events(generate(ASK, 5.0)))
    with pytest.raises(BusyError, match="person"):
        await nudge
    await asyncio.gather(running, person)


@pytest.mark.parametrize("delay", [0.02, 3.0])
async def test_the_deadline_bounds_generation_and_stops_it(delay: float) -> None:
    provider = FakeProvider(delay_seconds=delay)
    with pytest.raises(TooLateError):
        await events(made(provider)(ASK, 0.05))
    assert provider.running == 0


async def test_the_deadline_bounds_waiting_too() -> None:
    provider = FakeProvider(delay_seconds=0.05)
    generate = made(provider)
    running = asyncio.create_task(events(generate(ASK, 5.0)))
    await asyncio.sleep(0.01)
    with pytest.raises(TooLateError):
        await events(generate(ASK, 0.05))
    await running
    assert len(provider.asked) == 1


async def test_leaving_stops_the_backend_and_frees_the_place() -> None:
    provider = FakeProvider(delay_seconds=0.01)
    generate = made(provider)
    async with aclosing(generate(ASK, 5.0)) as stream:
        await anext(stream)
    assert provider.running == 0
    provider.delay_seconds = 0.0
    assert text(await events(generate(ASK, 5.0)))


async def test_being_cancelled_while_waiting_frees_the_place() -> None:
    generate = made(FakeProvider(delay_seconds=0.01), most_waiting=1)
    running = asyncio.create_task(events(generate(ASK, 5.0)))
    await asyncio.sleep(0.005)
    waiting = asyncio.create_task(events(generate(ASK, 5.0)))
    await asyncio.sleep(0.005)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert text(await events(generate(ASK, 5.0)))
    await running


async def test_what_is_over_a_limit_never_reaches_the_model() -> None:
    provider = FakeProvider()
    with pytest.raises(InvalidRequestError):
        await events(made(provider)(Completion(messages=()), 5.0))
    assert provider.asked == []


async def test_a_backend_that_fails_repeatedly_is_left_alone_and_tried_again() -> None:
    provider, seconds = FakeProvider(), 100.0
    generate = made(provider, breaker=Breaker(threshold=2, first_seconds=30), now=lambda: seconds)
    provider.gone = True
    for _ in range(2):
        with pytest.raises(BackendUnavailableError, match="gone"):
            await events(generate(ASK, 5.0))
    with pytest.raises(BackendUnavailableError, match="left alone"):
        await events(generate(ASK, 5.0))
    with pytest.raises(BackendUnavailableError, match="left alone"):
        await generate.check()
    provider.gone = False
    seconds += 30
    assert text(await events(generate(ASK, 5.0)))
    await generate.check()


async def test_a_backend_that_breaks_off_gives_what_came_and_then_the_error() -> None:
    provider = FakeProvider(delay_seconds=0.01)
    seen: list[Event] = []

    async def read() -> None:
        async for event in made(provider)(ASK, 5.0):
            seen.append(event)
            provider.gone = True

    with pytest.raises(BackendUnavailableError):
        await read()
    assert text(seen) == "I "


async def test_a_slow_reader_gets_fewer_and_longer_deltas() -> None:
    provider = FakeProvider(text=lambda _: "word " * 200)
    seen: list[Event] = []
    async with aclosing(made(provider)(ASK, 5.0)) as stream:
        async for event in stream:
            seen.append(event)
            await asyncio.sleep(0.01)
    assert text(seen) == "word " * 200
    assert len(seen) < 20


async def test_it_tells_which_model_answers() -> None:
    assert (await made(FakeProvider()).describe()).name == "fake"
