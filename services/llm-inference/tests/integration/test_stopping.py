"""Two replicas of llm-inference, of which one stops: no generation fails for it, alone or in a stream."""

from contextlib import AsyncExitStack
from pathlib import Path

from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from fakes.openai_server import Asked, Reply, ScriptedModel
from kit.grpc_client import channel
from support.rolling import kept_asking
from support.services import running_service, start_service

WORDS = "one two three"
REQUEST = llm_pb2.GenerateRequest(
    messages=[llm_pb2.PromptMessage(speaker=llm_pb2.SPEAKER_USER, text="hello")], priority=llm_pb2.PRIORITY_INTERACTIVE
)


def slowly(_: Asked) -> Reply:
    return Reply(WORDS, delay_seconds=0.05)


async def test_one_that_stops_fails_no_generation(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(ScriptedModel(slowly))
        environment = {
            "LLM_PROVIDER": "openai_compatible", "OPENAI_BASE_URL": model.url, "MAX_WORKERS": "16",
            "LLM_QUEUE_SIZE": "100",
        }  # fmt: skip
        leaving = start_service("llm-inference", environment, tmp_path)
        stack.callback(leaving.process.wait)
        stack.callback(leaving.process.kill)
        staying = await stack.enter_async_context(running_service("llm-inference", environment, tmp_path))
        await leaving.await_ready()
        opened = await stack.enter_async_context(channel(f"{leaving.address},{staying.address}"))
        stub: llm_pb2_grpc.LlmInferenceAsyncStub = llm_pb2_grpc.LlmInferenceStub(opened)

        async def generate() -> None:
            found = [response async for response in stub.Generate(REQUEST, timeout=20)]
            assert "".join(response.delta.text for response in found) == WORDS
            assert found[-1].WhichOneof("event") == "finish"

        async with kept_asking(generate, callers=10) as outcomes:
            await outcomes.until(30)
            assert await leaving.stop() == 0
            await outcomes.until(30)
        assert set(outcomes) == {"ok"}
