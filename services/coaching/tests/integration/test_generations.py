"""Many generations share few streams, and none notices the others: over real gRPC, with the platform's own server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import grpc
import pytest

from coaching.adapters.generations import Generations
from coaching.adapters.llm_client import LlmClient
from coaching.app.ports import Finished, ModelError, ModelRequest, Waiting, Words
from coaching.domain.prompt import PromptMessage, Speaker
from coaching.domain.turn import Failure
from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from fakes.llm_inference import ScriptedLlm
from kit import tracing
from kit.grpc_client import channel
from kit.grpc_server import GrpcServer
from kit.process import Life

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Replica:
    def __init__(self, connection_seconds: float = 300.0) -> None:
        self.llm = ScriptedLlm()
        self.life = Life("llm-inference", drain_seconds=5)
        self.server = GrpcServer("127.0.0.1", 0, self.life, connection_seconds)

    async def start(self) -> None:
        self.server.add(llm_pb2_grpc.add_LlmInferenceServicer_to_server, self.llm)
        self.life.on_drain(self.llm.many.stop)
        await self.server.start()

    async def cut(self) -> None:
        """End at once, as a process that is killed."""
        self.life.drain_seconds = 0
        await self.life.finish()


@asynccontextmanager
async def replicas(
    count: int, connection_seconds: float = 300.0
) -> AsyncIterator[tuple[list[Replica], grpc.aio.Channel]]:
    running = [Replica(connection_seconds) for _ in range(count)]
    async with AsyncExitStack() as stack:
        for replica in running:
            await replica.start()
            stack.push_async_callback(replica.cut)
        yield (
            running,
            await stack.enter_async_context(
                channel(",".join(f"127.0.0.1:{replica.server.port}" for replica in running))
            ),
        )


def ask(text: str = "hello", background: bool = False) -> ModelRequest:
    message = PromptMessage(Speaker.PERSON, text)
    return ModelRequest((message,), max_tokens=64, temperature=0.0, cache_key="", background=background)


async def said(model: LlmClient, text: str = "hello", seconds: float = 10) -> str:
    events = [event async for event in model.generate(ask(text), seconds)]
    assert isinstance(events[-1], Finished)
    return "".join(event.text for event in events if isinstance(event, Words))


async def failed(model: LlmClient, text: str = "hello", seconds: float = 10) -> Failure:
    with pytest.raises(ModelError) as error:
        await said(model, text, seconds)
    return error.value.failure


async def until_idle(llm: ScriptedLlm) -> None:
    async with asyncio.timeout(5):
        while llm.running:  # noqa: ASYNC110  # the model's own record
            await asyncio.sleep(0.01)


async def test_many_at_once_share_a_stream_and_each_hears_its_own() -> None:
    async with replicas(1) as ([replica], opened):
        model, replica.llm.pause_seconds = LlmClient(opened), 0.01
        answers = await asyncio.gather(*(said(model, f"words {number}") for number in range(100)))
        assert answers == [f"I heard: words {number}. What else?" for number in range(100)]
        assert replica.llm.most_running == 100
        assert replica.llm.streams == 3  # one, and two that found nobody else


async def test_the_place_in_line_and_the_priority_travel() -> None:
    async with replicas(1) as ([replica], opened):
        replica.llm.queued = 7
        events = [event async for event in LlmClient(opened).generate(ask(background=True), 10)]
        assert events[0] == Waiting(7)
        assert replica.llm.requests[0].priority == llm_pb2.PRIORITY_BACKGROUND


async def test_each_stays_in_its_own_trace() -> None:
    async with replicas(1) as ([replica], opened):
        model, replica.llm.script = LlmClient(opened), lambda _: [tracing.current()]
        with tracing.continued({"traceparent": TRACE}):
            assert await said(model) == TRACE
        assert await said(model) == ""


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Failure.MODEL_BUSY),
        (grpc.StatusCode.INVALID_ARGUMENT, Failure.MODEL_REFUSED),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Failure.MODEL_TIMEOUT),
        (grpc.StatusCode.UNAVAILABLE, Failure.MODEL_UNAVAILABLE),
    ],
)
async def test_one_that_fails_disturbs_no_other(code: grpc.StatusCode, failure: Failure) -> None:
    async with replicas(1) as ([replica], opened):
        model, replica.llm.pause_seconds = LlmClient(opened), 0.1
        async with aclosing(model.generate(ask("other"), 10)) as other:
            words = [await anext(other)]
            replica.llm.failure, replica.llm.fail_at = code, 0
            assert await failed(model, "doomed") is failure
            words += [event async for event in other]
        assert [event.text for event in words if isinstance(event, Words)] == ["I heard", ": other. ", "What ", "else?"]
        assert len(replica.llm.requests) == 2  # a refusal is not asked for again


async def test_who_stops_listening_ends_it_at_the_model() -> None:
    async with replicas(1) as ([replica], opened):
        model, replica.llm.pause_seconds = LlmClient(opened), 0.2
        async with aclosing(model.generate(ask(), 10)) as events:
            assert isinstance(await anext(events), Words)
        await until_idle(replica.llm)
        assert await said(model) == "I heard: hello. What else?"


async def test_the_deadline_ends_it_on_both_sides() -> None:
    async with replicas(1) as ([replica], opened):
        model, replica.llm.pause_seconds = LlmClient(opened), 30
        assert await failed(model, seconds=0.3) is Failure.MODEL_TIMEOUT
        await until_idle(replica.llm)


async def test_replicas_share_what_there_is_to_do() -> None:
    async with replicas(3) as (running, opened):
        model = LlmClient(opened)
        await asyncio.sleep(0.3)  # until all are connected
        for replica in running:
            replica.llm.pause_seconds = 0.02
        await asyncio.gather(*(said(model, str(number)) for number in range(30)))
        assert [len(replica.llm.requests) for replica in running] == [10, 10, 10]


async def test_a_stream_that_breaks_fails_what_was_begun_and_another_replica_answers_the_rest() -> None:
    async with replicas(2) as (running, opened):
        model = LlmClient(opened)
        for replica in running:
            replica.llm.pause_seconds = 0.3
        begun, fresh = model.generate(ask("begun"), 10), asyncio.create_task(said(model, "fresh"))
        assert isinstance(await anext(begun), Words)
        [holder] = [one for one in running if any(r.messages[0].text == "begun" for r in one.llm.requests)]
        lost = asyncio.create_task(said(model, "lost"))  # nothing was heard of it yet
        await asyncio.sleep(0.05)
        await holder.cut()
        with pytest.raises(ModelError) as error:
            await anext(begun)
        assert error.value.failure is Failure.MODEL_UNAVAILABLE
        assert await fresh == "I heard: fresh. What else?"
        assert await lost == "I heard: lost. What else?"


async def test_a_replica_that_stops_ends_what_it_has_and_is_asked_for_no_more() -> None:
    async with replicas(2) as (running, opened):
        model = LlmClient(opened)
        for replica in running:
            replica.llm.pause_seconds = 0.2
        calls = [asyncio.create_task(said(model, str(number))) for number in range(4)]
        await asyncio.sleep(0.3)
        before = len(running[0].llm.requests)
        stopping = asyncio.create_task(running[0].life.finish())
        await asyncio.sleep(0.05)
        calls += [asyncio.create_task(said(model, str(number))) for number in range(4, 8)]
        assert await asyncio.gather(*calls) == [f"I heard: {number}. What else?" for number in range(8)]
        async with asyncio.timeout(1):
            assert await stopping
        assert len(running[0].llm.requests) == before


async def test_streams_are_renewed_around_what_is_open() -> None:
    async with replicas(1) as ([replica], opened):
        stub: Any = llm_pb2_grpc.LlmInferenceStub(opened)
        generations, replica.llm.pause_seconds = Generations(stub, renew_seconds=0.1), 0.15

        async def heard(text: str) -> str:
            message = llm_pb2.PromptMessage(speaker=llm_pb2.SPEAKER_USER, text=text)
            request = llm_pb2.GenerateRequest(messages=[message])
            return "".join([found.delta.text async for found in generations.generate(request, 10)])

        answers = []
        for number in range(8):
            answers.append(asyncio.create_task(heard(str(number))))
            await asyncio.sleep(0.1)
        assert await asyncio.gather(*answers) == [f"I heard: {number}. What else?" for number in range(8)]
        assert replica.llm.streams > 10
        await asyncio.sleep(0.1)
        assert replica.llm.open_streams == 1  # those of before have closed


async def test_a_connection_that_has_become_old_cuts_nothing_off() -> None:
    async with replicas(1, connection_seconds=0.5) as ([replica], opened):
        model, replica.llm.pause_seconds = LlmClient(opened), 0.3
        answers = []
        for number in range(12):
            answers.append(asyncio.create_task(said(model, str(number))))
            await asyncio.sleep(0.15)
        assert await asyncio.gather(*answers) == [f"I heard: {number}. What else?" for number in range(12)]
        assert len(replica.llm.requests) == 12  # nothing was asked for twice


async def test_a_server_that_knows_no_streams_is_asked_one_by_one() -> None:
    async with replicas(1) as ([replica], opened):
        model, replica.llm.packs = LlmClient(opened), False
        assert await said(model) == "I heard: hello. What else?"
        replica.llm.packs = True
        assert await said(model) == "I heard: hello. What else?"
        assert replica.llm.streams == 0  # not before a minute has passed


@pytest.mark.guarantee("P9-old-beside-new")
async def test_while_servers_that_know_no_streams_are_replaced_every_generation_is_answered() -> None:
    async with replicas(2) as (running, opened):
        older, newer = running
        older.llm.packs = False
        for replica in running:
            replica.llm.pause_seconds = 0.02
        for _ in range(5):  # as many processes as ask, each with streams of its own
            model = LlmClient(opened)
            answers = await asyncio.gather(*(said(model, str(number)) for number in range(10)))
            assert answers == [f"I heard: {number}. What else?" for number in range(10)]
        assert older.llm.requests
        assert newer.llm.requests


async def test_what_is_given_long_goes_alone() -> None:
    async with replicas(1) as ([replica], opened):
        assert await said(LlmClient(opened), seconds=3000) == "I heard: hello. What else?"
        assert replica.llm.streams == 0


async def test_where_nobody_answers_it_is_unavailable() -> None:
    async with replicas(1) as ([replica], opened):
        await replica.cut()
        assert await failed(LlmClient(opened)) is Failure.MODEL_UNAVAILABLE
