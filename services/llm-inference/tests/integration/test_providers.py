"""What every provider does, the fake and the real ones, the embedded engine with a real model among them."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fakes.model_provider import FakeProvider
from fakes.ollama_server import DIGEST, ScriptedOllama
from fakes.openai_server import Asked, Reply, ScriptedModel
from llm_inference.app.ports import ModelProvider
from llm_inference.domain.completion import Completion, Delta, Ended, FinishReason, Message, Speaker
from llm_inference.domain.errors import BackendUnavailableError, InvalidRequestError
from llm_inference.providers.embedded.provider import Embedded
from llm_inference.providers.registry import PROVIDERS
from llm_inference.settings import LlmInferenceSettings

MARKER = "MARKER-4711"
LONG = "one two three four five six seven eight nine ten eleven twelve " * 20
SYSTEM = Message(Speaker.SYSTEM, "You are a warm and brief coach.")
ASK = Completion(messages=(SYSTEM, Message(Speaker.USER, f"I could not walk today. {MARKER}")), max_tokens=16, seed=7)
SCHEMA = {
    "type": "object",
    "properties": {"feeling": {"enum": ["tired", "proud"]}, "hours": {"type": "integer", "minimum": 1, "maximum": 48}},
    "required": ["feeling", "hours"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class Subject:
    """A started provider with one slot or more, and how to take its backend away."""

    provider: ModelProvider
    vanish: Callable[[], Awaitable[None]]


def script(asked: Asked) -> Reply | str:
    if len(asked.text) > 20_000:
        return Reply(failure="status", status=400)
    if asked.max_tokens > 1000:
        return Reply(LONG, delay_seconds=0.2)
    return LONG


def settings(**chosen: object) -> LlmInferenceSettings:
    return LlmInferenceSettings.model_validate({"max_workers": 1, "llm_context_tokens": 2048, **chosen})


@pytest.fixture(params=["fake", *PROVIDERS])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "fake":
        fake = FakeProvider(lambda _: LONG, delay_seconds=0.001)
        yield Subject(fake, fake.close)
    elif request.param == "embedded":
        path: Path = request.getfixturevalue("model_path")
        async with started(settings(llm_model_path=path)) as embedded:
            assert isinstance(embedded, Embedded)
            yield Subject(embedded, lambda: asyncio.to_thread(embedded._engine.close))
    else:
        async with (ScriptedOllama if request.param == "ollama" else ScriptedModel)(script) as server:
            chosen = settings(llm_provider=request.param, ollama_url=server.base, openai_base_url=f"{server.base}/v1")
            async with started(chosen) as remote:
                yield Subject(remote, lambda: server.__aexit__(None, None, None))


class started:  # noqa: N801  # reads as a word where it is used
    """Start a provider, and close it in the end, once more where a test has done so."""

    def __init__(self, chosen: LlmInferenceSettings) -> None:
        self._provider = PROVIDERS[chosen.llm_provider](chosen)

    async def __aenter__(self) -> ModelProvider:
        await self._provider.start()
        return self._provider

    async def __aexit__(self, *_: object) -> None:
        await self._provider.close()


async def generated(provider: ModelProvider, request: Completion) -> tuple[str, Ended, int]:
    """Return the text, the end, and the number of deltas."""
    texts: list[str] = []
    ends: list[Ended] = []
    async with aclosing(provider.stream(request)) as stream:
        async for event in stream:
            if isinstance(event, Delta):
                assert not ends
                texts.append(event.text)
            else:
                ends.append(event)
    assert len(ends) == 1
    return "".join(texts), ends[0], len(texts)


async def test_text_comes_in_pieces_and_is_counted(subject: Subject) -> None:
    text, ended, pieces = await generated(subject.provider, ASK)
    assert text.strip()
    assert pieces > 1
    assert ended.generated_tokens > 1
    assert ended.prompt_tokens > 5
    assert 0 <= ended.cached_tokens <= ended.prompt_tokens


async def test_max_tokens_ends_it(subject: Subject) -> None:
    _, ended, _ = await generated(subject.provider, replace(ASK, max_tokens=3))
    assert ended.reason is FinishReason.LENGTH
    assert ended.generated_tokens == 3


async def test_the_same_seed_gives_the_same_text(subject: Subject) -> None:
    request = replace(ASK, temperature=0.9)
    first, _, _ = await generated(subject.provider, request)
    second, _, _ = await generated(subject.provider, request)
    assert first == second


async def test_a_stop_text_ends_it_and_is_not_part_of_it(subject: Subject) -> None:
    whole, _, _ = await generated(subject.provider, ASK)
    stop = whole.split()[2]
    text, ended, _ = await generated(subject.provider, replace(ASK, stop=(stop,)))
    assert text.rstrip() == whole.partition(stop)[0].rstrip()
    assert ended.reason is FinishReason.STOP


async def test_with_a_schema_the_text_is_json_of_it(subject: Subject) -> None:
    text, ended, _ = await generated(subject.provider, replace(ASK, schema=SCHEMA, max_tokens=60))
    value = json.loads(text)
    assert value["feeling"] in ("tired", "proud")
    assert 1 <= value["hours"] <= 48
    assert value.keys() == {"feeling", "hours"}
    assert ended.reason is FinishReason.STOP


async def test_closing_it_stops_the_backend(subject: Subject) -> None:
    endless = replace(ASK, max_tokens=1500, temperature=1.5)
    async with aclosing(subject.provider.stream(endless)) as stream:
        await anext(stream)
    # The only slot is free again long before 1,500 tokens could have been generated.
    async with asyncio.timeout(6):
        text, _, _ = await generated(subject.provider, ASK)
    assert text


async def test_cancelling_the_task_stops_the_backend(subject: Subject) -> None:
    async def read() -> None:
        await generated(subject.provider, replace(ASK, max_tokens=1500, temperature=1.5))

    task = asyncio.create_task(read())
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(6):
        assert (await generated(subject.provider, ASK))[0]


async def test_a_prompt_that_the_model_cannot_take_is_the_callers_fault(subject: Subject) -> None:
    too_long = replace(ASK, messages=(Message(Speaker.USER, f"{MARKER} word " * 5_000),))
    with pytest.raises(InvalidRequestError) as refused:
        await generated(subject.provider, too_long)
    assert MARKER not in str(refused.value)


async def test_a_backend_that_is_gone_is_told_with_what_to_do_and_without_the_prompt(subject: Subject) -> None:
    await subject.provider.describe()
    await subject.provider.check()
    await subject.vanish()
    with pytest.raises(BackendUnavailableError) as failed:
        await generated(subject.provider, ASK)
    assert ":" in str(failed.value)
    assert MARKER not in str(failed.value)
    with pytest.raises(BackendUnavailableError):
        await subject.provider.check()


async def test_it_says_which_model_answers(subject: Subject) -> None:
    model = await subject.provider.describe()
    assert model.provider == subject.provider.name
    assert model.name
    assert model.context_tokens > 0


# What only servers can do wrong.

Remote = Callable[..., "RemoteModel"]


class RemoteModel:
    """A provider beside the scripted server that it talks to."""

    def __init__(self, kind: str, model: str = "", **reply: object) -> None:
        self.server = (ScriptedOllama if kind == "ollama" else ScriptedModel)(**reply)  # type: ignore[arg-type]  # a table
        self._kind, self._model = kind, model

    async def __aenter__(self) -> ModelProvider:
        await self.server.__aenter__()
        chosen = settings(
            llm_provider=self._kind, llm_model=self._model, ollama_url=self.server.url, openai_base_url=self.server.url,
            openai_api_key="k" * 40,
        )  # fmt: skip
        self.provider = PROVIDERS[chosen.llm_provider](chosen)
        return self.provider

    async def __aexit__(self, *_: object) -> None:
        await self.provider.close()
        await self.server.__aexit__(None, None, None)


@pytest.fixture(params=["ollama", "openai_compatible"])
def remote(request: pytest.FixtureRequest) -> Remote:
    return lambda **chosen: RemoteModel(request.param, **chosen)


@pytest.mark.parametrize("failure", ["cut", "malformed", "error", "status"])
async def test_a_server_that_fails_is_a_backend_that_is_unavailable(remote: Remote, failure: str) -> None:
    async with remote(failure=failure) as provider:
        with pytest.raises(BackendUnavailableError) as failed:
            await generated(provider, ASK)
    assert MARKER not in str(failed.value)


async def left(model: "RemoteModel") -> None:
    """Wait until the server has noticed that its only caller is gone."""
    async with asyncio.timeout(30):
        while (model.server.running, model.server.left) != (0, 1):  # noqa: ASYNC110  # the server's own record
            await asyncio.sleep(0.02)


async def test_a_server_that_says_nothing_is_left_when_the_caller_leaves(remote: Remote) -> None:
    model = remote(failure="hang")
    async with model as provider:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):  # long enough for the request to reach it
                await generated(provider, ASK)
        await left(model)


async def test_a_caller_who_leaves_is_noticed_by_the_server(remote: Remote) -> None:
    model = remote(text=LONG, delay_seconds=1)
    async with model as provider:
        async with aclosing(provider.stream(ASK)) as stream:
            await anext(stream)
        await left(model)


async def test_what_was_asked_for_reaches_the_server(remote: Remote) -> None:
    model = remote(text="fine")
    async with model as provider:
        await generated(provider, replace(ASK, temperature=0.5, stop=("a", "b")))
        (asked,) = model.server.asked
    sampled = asked.body.get("options", asked.body)
    assert (sampled["temperature"], sampled["seed"], sampled["stop"]) == (0.5, 7, ["a", "b"])
    assert [message["role"] for message in asked.body["messages"]] == ["system", "user"]


async def test_a_small_model_is_known_by_its_name(remote: Remote) -> None:
    async with remote() as provider:
        assert (await provider.describe()).free_prose


async def test_ollama_tells_the_digest_of_the_weights_and_is_given_the_context_size() -> None:
    model = RemoteModel("ollama")
    async with model as provider:
        found = await provider.describe()
        await generated(provider, ASK)
    assert (found.name, found.sha256, found.context_tokens) == ("scripted:7b", DIGEST, 2048)
    assert model.server.asked[0].body["options"]["num_ctx"] == 2048


async def test_a_model_that_ollama_does_not_have_is_named_with_the_command_that_gets_it() -> None:
    async with RemoteModel("ollama", model="other:1b") as provider:
        with pytest.raises(BackendUnavailableError, match="ollama pull other:1b"):
            await generated(provider, ASK)


async def test_the_key_is_sent_and_a_model_that_is_not_listed_may_be_named() -> None:
    model = RemoteModel("openai_compatible", model="tiny-135m")
    async with model as provider:
        found = await provider.describe()
        await generated(provider, ASK)
    assert (found.name, found.free_prose) == ("tiny-135m", False)
    assert model.server.asked[0].headers["authorization"] == "Bearer " + "k" * 40
    assert model.server.asked[0].body["model"] == "tiny-135m"


async def test_nothing_is_read_after_the_end(remote: Remote) -> None:
    async with remote(text="one two") as provider:
        stream: AsyncGenerator[Delta | Ended, None] = provider.stream(ASK)
        assert isinstance([event async for event in stream][-1], Ended)
