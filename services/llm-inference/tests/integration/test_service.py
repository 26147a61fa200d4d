"""llm-inference as a process, over real gRPC, in front of a scripted model and of the real one."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from fakes.openai_server import Asked, Reply, ScriptedModel
from kit import grpc_client
from llm_inference.wire import PER_WORKER
from support.services import Service, running_service
from support.tree import ROOT

MARKER = "MARKER-4711"
SCHEMA = {"type": "object", "properties": {"kind": {"enum": ["warm", "cold"]}}, "required": ["kind"]}
Stub = llm_pb2_grpc.LlmInferenceStub


def ask(text: str = "hello", **chosen: Any) -> llm_pb2.GenerateRequest:
    messages = [
        llm_pb2.PromptMessage(speaker=llm_pb2.SPEAKER_SYSTEM, text="Be brief."),
        llm_pb2.PromptMessage(speaker=llm_pb2.SPEAKER_USER, text=text),
    ]
    return llm_pb2.GenerateRequest(**{"messages": messages, "priority": llm_pb2.PRIORITY_INTERACTIVE, **chosen})


async def responses(stub: Any, request: llm_pb2.GenerateRequest, seconds: float = 20) -> list[llm_pb2.GenerateResponse]:
    return [response async for response in stub.Generate(request, timeout=seconds)]


async def refused(stub: Any, request: llm_pb2.GenerateRequest, seconds: float = 20) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await responses(stub, request, seconds)
    return error.value


def text(found: list[llm_pb2.GenerateResponse]) -> str:
    return "".join(response.delta.text for response in found)


@asynccontextmanager
async def serving(folder: Path, **env: str) -> AsyncIterator[tuple[Service, Any]]:
    async with running_service("llm-inference", {"LOG_LEVEL": "DEBUG", **env}, folder) as service:
        channel = grpc_client.channel(service.address)
        try:
            yield service, Stub(channel)
        finally:
            await channel.close(None)


def script(asked: Asked) -> Reply:
    """The message says how to answer: "slow", "endless", "down", anything else is answered at once."""
    if "down" in asked.text:
        return Reply(failure="status", status=503)
    if "endless" in asked.text:
        return Reply("one two three four five", delay_seconds=60)
    return Reply("one two three four five", delay_seconds=0.4 if "slow" in asked.text else 0.0)


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with ScriptedModel(script) as made:
        yield made


@pytest.fixture
async def served(model: ScriptedModel, tmp_path: Path) -> AsyncIterator[tuple[Service, Any]]:
    env = {
        "LLM_PROVIDER": "openai_compatible",
        "OPENAI_BASE_URL": model.url,
        "MAX_WORKERS": "1",
        "LLM_QUEUE_SIZE": "1",
    }
    async with serving(tmp_path, **env) as found:
        yield found


async def test_words_arrive_while_the_model_still_writes(served: tuple[Service, Any]) -> None:
    _, stub = served
    call = stub.Generate(ask("slow"), timeout=60)
    assert (await anext(aiter(call))).delta.text == "one "
    begun = asyncio.get_running_loop().time()
    rest = [response async for response in call]
    assert asyncio.get_running_loop().time() - begun > 0.5
    finish = rest[-1].finish
    assert finish.reason == llm_pb2.FINISH_REASON_STOP
    assert (finish.generated_tokens, finish.model.provider) == (5, "openai_compatible")
    assert 0 < finish.first_token_seconds < finish.generation_seconds


async def test_who_waits_is_told_and_one_too_many_is_refused(served: tuple[Service, Any]) -> None:
    _, stub = served
    running = [stub.Generate(ask("slow"), timeout=60) for _ in range(PER_WORKER)]
    first = [(await anext(aiter(call))).delta.text for call in running]
    waiting = stub.Generate(ask("next"), timeout=60)
    found = [await anext(aiter(waiting))]
    assert (await refused(stub, ask("one too many"))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert first == ["one "] * PER_WORKER
    found += [response async for response in waiting]
    rests = [text([response async for response in call]) for call in running]
    assert rests == ["two three four five"] * PER_WORKER
    assert found[0].WhichOneof("event") == "queued"
    assert text(found) == "one two three four five"


async def test_a_caller_who_leaves_frees_the_model(served: tuple[Service, Any], model: ScriptedModel) -> None:
    _, stub = served
    call = stub.Generate(ask("slow"), timeout=60)
    await anext(aiter(call))
    call.cancel()
    assert text(await responses(stub, ask("next"), seconds=30)) == "one two three four five"
    assert (model.running, model.left) == (0, 1)


async def test_the_deadline_ends_it_at_the_model_too(served: tuple[Service, Any], model: ScriptedModel) -> None:
    _, stub = served
    assert (await refused(stub, ask("endless"), seconds=3)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(20):
        while (model.running, model.left) != (0, 1):  # noqa: ASYNC110  # the model's own record
            await asyncio.sleep(0.02)


class Packed:
    """One stream of generations, and what was told of each."""

    def __init__(self, stub: Any) -> None:
        self.call = stub.GenerateMany(timeout=60)
        self.told: dict[int, list[llm_pb2.GenerationEvent]] = {}
        self.stopping = False

    async def start(self, **asked: str) -> None:
        """Ask all at once: by the name "a7" the call 7."""
        starts = [
            llm_pb2.GenerationStart(call_id=int(name[1:]), request=ask(words), deadline_seconds=20)
            for name, words in asked.items()
        ]
        await self.call.write(llm_pb2.GenerateManyRequest(starts=starts))

    async def hear(self, *ids: int, until: str = "end") -> None:
        """Listen until each of them has told that."""
        while not all(any(e.WhichOneof("event") == until for e in self.told.get(one, [])) for one in ids):
            frame = await self.call.read()
            assert isinstance(frame, llm_pb2.GenerateManyResponse), "it has ended"
            self.stopping = self.stopping or frame.stopping
            for event in frame.events:
                self.told.setdefault(event.call_id, []).append(event)

    def text(self, one: int) -> str:
        return text([event.response for event in self.told[one]])

    def end(self, one: int) -> llm_pb2.GenerationEnd:
        return self.told[one][-1].end


async def test_many_in_one_stream_end_each_in_its_own_way(served: tuple[Service, Any], model: ScriptedModel) -> None:
    service, stub = served
    packed = Packed(stub)
    await packed.start(a1="slow", a2="endless", a3="x" * 40_000, a4="quick")
    await packed.hear(4, 3)
    await packed.hear(2, until="response")
    await packed.call.write(llm_pb2.GenerateManyRequest(cancels=[2, 99]))
    await packed.start(a5="next")
    await packed.call.done_writing()
    await packed.hear(1, 5)
    assert not await packed.call.read()  # its end
    assert [packed.text(one) for one in (1, 4, 5)] == ["one two three four five"] * 3
    assert packed.end(3).code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "x" * 10 not in packed.end(3).text
    assert packed.told[2][-1].WhichOneof("event") == "response"  # nothing more is told of who has left
    assert (model.running, model.left) == (0, 1)
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{service.url}/metrics")).text
    counted = 'grpc_request_duration_seconds_count{code="%s",method="/contracts.llm.v1.LlmInference/Generate"} %s'
    assert counted % ("REFUSED", "1.0") in metrics


async def test_one_too_many_is_refused_in_a_stream_too(served: tuple[Service, Any]) -> None:
    packed = Packed(served[1])
    await packed.start(**{f"a{number}": "slow" for number in range(1, PER_WORKER + 3)})
    await packed.hear(PER_WORKER + 1, until="response")
    await packed.hear(PER_WORKER + 2)
    assert packed.told[PER_WORKER + 1][0].response.queued.ahead == 0
    assert packed.end(PER_WORKER + 2).code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    packed.call.cancel()


async def test_a_generation_without_a_deadline_is_refused(served: tuple[Service, Any]) -> None:
    packed = Packed(served[1])
    starts = [llm_pb2.GenerationStart(call_id=1, request=ask("hello"))]
    await packed.call.write(llm_pb2.GenerateManyRequest(starts=starts))
    await packed.hear(1)
    assert packed.end(1).text == "a deadline is required"
    packed.call.cancel()


async def test_a_stream_that_breaks_frees_the_model(served: tuple[Service, Any], model: ScriptedModel) -> None:
    packed = Packed(served[1])
    await packed.start(a1="endless", a2="endless")
    await packed.hear(1, 2, until="response")
    packed.call.cancel()
    async with asyncio.timeout(20):
        while (model.running, model.left) != (0, 2):  # noqa: ASYNC110  # the model's own record
            await asyncio.sleep(0.02)


@pytest.mark.guarantee("P10-privacy")
async def test_a_stop_says_so_ends_what_has_begun_and_logs_no_words(served: tuple[Service, Any]) -> None:
    service, stub = served
    packed = Packed(stub)
    await packed.start(a1=f"slow {MARKER}")
    await packed.hear(1, until="response")
    stopping = asyncio.create_task(service.stop())
    await packed.hear(1)
    assert packed.stopping
    assert packed.text(1) == "one two three four five"
    await packed.call.done_writing()
    assert await stopping == 0
    assert MARKER not in service.log()


NONSENSE = (
    llm_pb2.GenerateRequest(),
    llm_pb2.GenerateRequest(messages=[llm_pb2.PromptMessage(text=MARKER)]),
    ask("x" * 40_000),
    ask(json_schema=f"{{{MARKER}"),
    ask(json_schema=json.dumps({"type": MARKER})),
    ask(json_schema=json.dumps({"enum": ["x" * 17_000]})),
    ask(max_tokens=1_000_000),
)


async def test_what_makes_no_sense_is_refused_without_being_quoted(served: tuple[Service, Any]) -> None:
    errors = [await refused(served[1], request) for request in NONSENSE]
    assert {error.code() for error in errors} == {grpc.StatusCode.INVALID_ARGUMENT}
    assert not any(MARKER in str(error.details()) for error in errors)


async def test_a_model_that_is_down_is_said_with_what_to_do_and_is_not_ready(served: tuple[Service, Any]) -> None:
    service, stub = served
    for _ in range(3):
        error = await refused(stub, ask("down"))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "OPENAI_BASE_URL" in str(error.details())
    assert not await service.ready()
    assert "left alone" in str((await refused(stub, ask("hello"))).details())


async def test_a_schema_reaches_the_model_and_metrics_count(served: tuple[Service, Any]) -> None:
    service, stub = served
    assert json.loads(text(await responses(stub, ask(json_schema=json.dumps(SCHEMA))))) == {"kind": "warm"}
    described = await stub.DescribeModel(llm_pb2.DescribeModelRequest(), timeout=30)
    assert described.model.name == "scripted-7b"
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{service.url}/metrics")).text
    assert 'ai_response_duration_seconds_count{provider="openai_compatible"} 1.0' in metrics
    assert 'llm_generated_tokens_total{provider="openai_compatible"} 2.0' in metrics
    assert "llm_queue_waiting 0.0" in metrics


@pytest.mark.guarantee("P10-privacy")
async def test_the_real_model_answers_and_its_log_is_silent_about_it(model_path: Path, tmp_path: Path) -> None:
    env = {"LLM_MODEL_PATH": str(model_path), "MAX_WORKERS": "1", "LLM_SLOTS_DIR": str(tmp_path / "slots")}
    async with serving(tmp_path, LLM_CONTEXT_TOKENS="512", **env) as (service, stub):
        found = await responses(stub, ask(f"Say hello to {MARKER}", max_tokens=12, cache_key=MARKER))
        await refused(stub, ask(f"{MARKER} " * 400))
        await refused(stub, ask(MARKER, json_schema=json.dumps({"type": MARKER})))
        await responses(stub, ask(MARKER, json_schema=json.dumps({"const": MARKER})))
        call = stub.Generate(ask(f"Count to {MARKER}", max_tokens=400), timeout=60)
        await anext(aiter(call))
        call.cancel()
        await asyncio.sleep(0.2)
    finish = found[-1].finish
    assert finish.generated_tokens > 0
    assert len(finish.model.sha256) == 64
    assert not finish.model.free_prose
    assert "model_loaded" in service.log()
    assert MARKER not in service.log()
    assert service.process.returncode == 0


async def test_a_file_that_is_no_model_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="LLM_MODEL_PATH is no file"):
        async with serving(tmp_path, LLM_MODEL_PATH=str(tmp_path / "missing.gguf")):
            pass


async def test_the_scripted_model_runs_as_a_process_of_its_own() -> None:
    command = (str(ROOT / "tests/fakes/openai_server.py"), "--reply", "first", "--reply", "then")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            body = {"messages": [{"role": "user", "content": "x"}]}
            said = [(await client.post("/chat/completions", json=body)).json() for _ in range(3)]
    finally:
        process.terminate()
        await process.wait()
    assert [one["choices"][0]["message"]["content"] for one in said] == ["first", "then", "then"]
