"""The engine in process, with the real small model: who returns is fast, who does not know the key learns nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from llm_inference.domain.completion import Completion, Ended, Message, Speaker
from llm_inference.domain.errors import BackendUnavailableError
from llm_inference.providers.embedded.provider import Embedded
from llm_inference.settings import LlmInferenceSettings

SYSTEM = Message(Speaker.SYSTEM, "You are a warm, brief coach. You reflect, then ask one open question. " * 8)


def history(person: str, turns: int = 4) -> tuple[Message, ...]:
    said = tuple(
        message
        for turn in range(turns)
        for message in (
            Message(Speaker.USER, f"I am {person} and this is turn {turn}: I walked a little and slept badly again."),
            Message(Speaker.ASSISTANT, f"Thank you {person}. What made the walk possible in turn {turn}?"),
        )
    )
    return (SYSTEM, *said, Message(Speaker.USER, "What now?"))


def asked(person: str) -> Completion:
    return Completion(messages=history(person), max_tokens=4, cache_key=f"key-{person}")


def returning(request: Completion) -> Completion:
    more = (Message(Speaker.ASSISTANT, "Try a short walk."), Message(Speaker.USER, "I did!"))
    return replace(request, messages=request.messages + more)


@asynccontextmanager
async def engine(model_path: Path, slots: Path | None, workers: int = 1) -> AsyncIterator[Embedded]:
    chosen = {"llm_model_path": model_path, "max_workers": workers, "llm_slots_dir": slots, "llm_context_tokens": 2048}
    provider = Embedded(LlmInferenceSettings.model_validate(chosen))
    await provider.start()
    try:
        yield provider
    finally:
        await provider.close()


async def end_of(provider: Embedded, request: Completion) -> Ended:
    async with aclosing(provider.stream(request)) as stream:
        events = [event async for event in stream]
    end = events[-1]
    assert isinstance(end, Ended)
    return end


async def test_a_returning_person_is_not_read_again_although_others_came_between(
    model_path: Path, tmp_path: Path
) -> None:
    async with engine(model_path, tmp_path) as provider:
        first = await end_of(provider, asked("Ada"))
        for other in ("Bo", "Cy"):
            await end_of(provider, asked(other))
        back = await end_of(provider, returning(asked("Ada")))
    assert first.prompt_tokens > 300
    assert back.cached_tokens >= first.prompt_tokens - 4
    assert back.prompt_tokens - back.cached_tokens < 40


async def test_a_new_person_finds_the_shared_beginning_already_read(model_path: Path, tmp_path: Path) -> None:
    async with engine(model_path, tmp_path) as provider:
        first = await end_of(provider, asked("Ada"))
    async with engine(model_path, tmp_path) as provider:
        other = await end_of(provider, asked("Bo"))
    for ended in (first, other):
        assert 120 < ended.cached_tokens < 200


async def test_after_a_restart_a_person_is_still_known(model_path: Path, tmp_path: Path) -> None:
    async with engine(model_path, tmp_path) as provider:
        first = await end_of(provider, asked("Ada"))
    async with engine(model_path, tmp_path) as provider:
        back = await end_of(provider, returning(asked("Ada")))
    assert back.cached_tokens >= first.prompt_tokens - 4


def cut_off_the_ends(folder: Path) -> None:
    for path in folder.glob("*.slot"):
        path.write_bytes(path.read_bytes()[:-500])


async def test_a_damaged_file_costs_time_only(model_path: Path, tmp_path: Path) -> None:
    async with engine(model_path, tmp_path) as provider:
        await end_of(provider, asked("Ada"))
    cut_off_the_ends(tmp_path)
    async with engine(model_path, tmp_path) as provider:
        back = await end_of(provider, returning(asked("Ada")))
    assert back.generated_tokens > 0


async def test_without_a_folder_nothing_stays_behind(model_path: Path) -> None:
    async with engine(model_path, None) as provider:
        await end_of(provider, asked("Ada"))
        folder = provider._states.folder
        await end_of(provider, asked("Bo"))
        assert list(folder.glob("*.slot"))
    assert not folder.exists()


async def test_who_leaves_while_the_prompt_is_read_stops_the_reading(model_path: Path, tmp_path: Path) -> None:
    long = Completion(messages=(Message(Speaker.USER, "word and another word " * 350),), max_tokens=4)
    async with engine(model_path, tmp_path) as provider:
        begun = time.perf_counter()
        await end_of(provider, replace(long, seed=1))
        whole = time.perf_counter() - begun
        task = asyncio.create_task(end_of(provider, replace(long, messages=(Message(Speaker.USER, "x " * 1500),))))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        begun = time.perf_counter()
        await end_of(provider, Completion(messages=(Message(Speaker.USER, "hi"),), max_tokens=1))
        waited = time.perf_counter() - begun
    assert waited < max(1.5, whole / 2)


async def test_two_people_are_served_at_once(model_path: Path, tmp_path: Path) -> None:
    async with engine(model_path, tmp_path, workers=2) as provider:
        order: list[str] = []

        async def read(person: str) -> None:
            # Long enough that the second one begins before the first has ended, on a busy machine too.
            told = (Message(Speaker.USER, "Write a very long story about a river, from its spring to the sea."),)
            asked_for = Completion(messages=told, max_tokens=200, cache_key=f"key-{person}")
            async with aclosing(provider.stream(asked_for)) as stream:
                async for _ in stream:
                    order[len(order) :] = [person]

        await asyncio.gather(read("Ada"), read("Bo"))
    assert order.index("Bo") < len(order) - 1 - order[::-1].index("Ada")
    assert order.index("Ada") < len(order) - 1 - order[::-1].index("Bo")


async def test_the_engine_answers_nobody_without_its_key_and_no_foreign_page(model_path: Path, tmp_path: Path) -> None:
    async with engine(model_path, tmp_path) as provider, httpx.AsyncClient(base_url=provider._engine.url) as stranger:
        assert (await stranger.post("/v1/chat/completions", json={"messages": []})).status_code == 401
        assert (await stranger.get("/slots")).status_code in (401, 501)
        page = await stranger.get("/health", headers={"Origin": "https://page.example"})
        assert page.headers["access-control-allow-origin"] not in ("*", "https://page.example")
        assert provider._engine.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("content", [None, b"no model at all" * 100])
async def test_a_file_that_is_missing_or_no_model_is_said_so(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    if content is not None:
        path.write_bytes(content)
    provider = Embedded(LlmInferenceSettings(llm_model_path=path, llm_slots_dir=tmp_path / "slots"))
    with pytest.raises(BackendUnavailableError, match=r"broken\.gguf"):
        await provider.start()
