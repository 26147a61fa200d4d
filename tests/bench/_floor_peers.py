"""The floor's door, model and memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import grpc
import uvicorn

from bench._floor import CALL_SECONDS, HOST, Together, channel, serve
from bench._floor_stream import frames
from contracts.channels.v1 import channels_pb2, channels_pb2_grpc
from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from contracts.vector.v1 import vector_pb2, vector_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


async def edge(config: dict[str, Any]) -> None:
    """Bare ASGI: a webhook's body and headers to ReceiveMany, its answer back; the loop's alone to Receive."""
    stub = channels_pb2_grpc.ChannelAdapterStub(channel(config["ports"]["adapter"]))

    async def receive_many(requests: list[channels_pb2.ReceiveRequest]) -> Sequence[channels_pb2.ReceiveResponse]:
        request = channels_pb2.ReceiveManyRequest(requests=requests)
        return (await stub.ReceiveMany(request, timeout=CALL_SECONDS)).responses

    together: Together[channels_pb2.ReceiveRequest, channels_pb2.ReceiveResponse] = Together(receive_many)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        _, _, name, account = scope["path"].split("/")
        headers = [
            channels_pb2.Header(name=key.decode("latin-1"), value=value.decode("latin-1"))
            for key, value in scope["headers"]
        ]
        request = channels_pb2.ReceiveRequest(
            channel=name, account=account, method=scope["method"], headers=headers, body=body
        )
        answer = await (stub.Receive(request, timeout=CALL_SECONDS) if config.get("one") else together(request))
        length = (b"content-length", str(len(answer.body)).encode())
        await send({"type": "http.response.start", "status": answer.status, "headers": [length]})
        await send({"type": "http.response.body", "body": answer.body})

    settings = uvicorn.Config(
        app, host=HOST, port=config["ports"]["edge"], log_config=None, access_log=False, lifespan="off", loop="none",
        http="httptools", ws="none", backlog=1024,
    )  # fmt: skip
    await uvicorn.Server(settings).serve()


class Model(llm_pb2_grpc.LlmInferenceServicer):
    """Passes a completion's stream on as it comes."""

    def __init__(self, url: str) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._url = f"{url}/v1/chat/completions"

    async def Generate(  # noqa: N802  # named by the proto
        self, request: llm_pb2.GenerateRequest, _context: Context
    ) -> AsyncIterator[llm_pb2.GenerateResponse]:
        said = [{"role": "user", "content": message.text} for message in request.messages]
        async with self._http.post(self._url, json={"messages": said, "stream": True}) as response:
            async for piece in response.content.iter_any():
                yield llm_pb2.GenerateResponse(delta=llm_pb2.Delta(text=piece[-100:].decode("latin-1")))
        yield llm_pb2.GenerateResponse(finish=llm_pb2.Finish(model=llm_pb2.Model(name="scripted-7b")))

    async def GenerateMany(  # noqa: N802  # named by the proto
        self, requests: AsyncIterator[llm_pb2.GenerateManyRequest], _context: Context
    ) -> AsyncIterator[llm_pb2.GenerateManyResponse]:
        async for frame in frames(self.Generate, requests):
            yield frame


async def model(config: dict[str, Any]) -> None:
    """Serve Generate and GenerateMany."""
    servicer = Model(config["world"])  # type: ignore[abstract]  # nobody calls the other
    await serve(llm_pb2_grpc.add_LlmInferenceServicer_to_server, servicer, config["ports"]["model"])


class Memory(vector_pb2_grpc.VectorSearchServicer):
    """Knows nothing."""

    async def Search(  # noqa: N802  # named by the proto
        self, _request: vector_pb2.SearchRequest, _context: Context
    ) -> vector_pb2.SearchResponse:
        return vector_pb2.SearchResponse()

    async def SearchMany(  # noqa: N802  # named by the proto
        self, request: vector_pb2.SearchManyRequest, _context: Context
    ) -> vector_pb2.SearchManyResponse:
        found = vector_pb2.SearchAnswer(response=vector_pb2.SearchResponse())
        return vector_pb2.SearchManyResponse(answers=[found] * len(request.searches))

    async def UpsertMany(  # noqa: N802  # named by the proto
        self, request: vector_pb2.UpsertManyRequest, _context: Context
    ) -> vector_pb2.UpsertManyResponse:
        stored = vector_pb2.UpsertAnswer(response=vector_pb2.UpsertResponse(stored=1, embedding_model="floor"))
        return vector_pb2.UpsertManyResponse(answers=[stored] * len(request.upserts))

    async def Upsert(  # noqa: N802  # named by the proto
        self, request: vector_pb2.UpsertRequest, _context: Context
    ) -> vector_pb2.UpsertResponse:
        return vector_pb2.UpsertResponse(stored=len(request.items), embedding_model="floor")


async def memory(config: dict[str, Any]) -> None:
    """Serve searches and upserts, single ones and lists."""
    register = vector_pb2_grpc.add_VectorSearchServicer_to_server
    servicer = Memory()  # type: ignore[abstract]  # nobody calls the others
    await serve(register, servicer, config["ports"]["memory"])
