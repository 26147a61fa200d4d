"""Calls between two services over a real channel."""

import io
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kit.grpc_client import DeadlineMissingError, channel
from kit.grpc_server import GrpcServer
from kit.process import Life, StartError

REFUSED: list[bytes] = []


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    life = Life("kit-test", drain_seconds=2)
    yield life
    await life.finish()


def register_echo(servicer: object, server: grpc.aio.Server) -> None:
    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(say),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Both": grpc.stream_stream_rpc_method_handler(both),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))


async def say(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    sent = dict(context.invocation_metadata() or ())
    return str(sent.get("traceparent", "none")).encode() if request == b"trace" else request


async def count(request: bytes, _: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
    for number in range(int(request)):
        yield str(number).encode()


async def both(requests: AsyncIterator[bytes], _: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request == b"fail":
            raise ValueError("whisper-4711")
        yield request


async def fail(request: bytes, _: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    raise ValueError(request.decode())


async def refuse(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    REFUSED.append(request)
    await context.abort(grpc.StatusCode.UNAVAILABLE, "what it stands on is away")


def as_is(data: bytes) -> bytes:
    return data


def unary(to: grpc.aio.Channel, method: str) -> Any:
    return to.unary_unary(method, as_is, as_is)


def stream(to: grpc.aio.Channel, method: str) -> Any:
    return to.unary_stream(method, as_is, as_is)


async def echo_server(life: Life) -> int:
    server = GrpcServer("127.0.0.1", 0, life)
    server.add(register_echo, object())
    await server.start()
    return server.port


async def test_a_call_is_answered_and_a_stream_is_read_to_its_end(life: Life) -> None:
    async with channel(f"127.0.0.1:{await echo_server(life)}") as to:
        assert await unary(to, "/test.Echo/Say")(b"hello", timeout=30) == b"hello"
        assert [item async for item in stream(to, "/test.Echo/Count")(b"3", timeout=30)] == [b"0", b"1", b"2"]


async def test_a_stream_goes_both_ways(life: Life, json_log: io.StringIO) -> None:
    async with channel(f"127.0.0.1:{await echo_server(life)}") as to:
        open_stream: Any = to.stream_stream("/test.Echo/Both", as_is, as_is)
        with pytest.raises(DeadlineMissingError):
            open_stream()
        call = open_stream(timeout=30)
        for word in (b"one", b"two"):
            await call.write(word)
            assert await call.read() == word
        await call.write(b"fail")
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await call.read()
    assert (failed.value.code(), failed.value.details()) == (grpc.StatusCode.INTERNAL, "ValueError")
    assert "whisper" not in json_log.getvalue()


async def test_a_client_may_not_forget_the_deadline(life: Life) -> None:
    async with channel(f"127.0.0.1:{await echo_server(life)}") as to:
        with pytest.raises(DeadlineMissingError):
            await unary(to, "/test.Echo/Say")(b"hello")


async def test_the_server_refuses_a_call_without_deadline(life: Life) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await echo_server(life)}") as plain:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(plain, "/test.Echo/Say")(b"hello")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_an_error_in_a_handler_reaches_neither_log_nor_a_crash(life: Life, json_log: io.StringIO) -> None:
    async with channel(f"127.0.0.1:{await echo_server(life)}") as to:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await unary(to, "/test.Echo/Fail")(b"marker-of-a-person", timeout=30)
        assert await unary(to, "/test.Echo/Say")(b"still here", timeout=30) == b"still here"
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "marker-of-a-person" not in (failed.value.details() or "")
    assert "marker-of-a-person" not in json_log.getvalue()
    assert "grpc_call_failed" in json_log.getvalue()


async def test_what_a_server_refuses_is_not_asked_for_again(life: Life) -> None:
    REFUSED.clear()
    async with channel(f"127.0.0.1:{await echo_server(life)}") as to:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(to, "/test.Echo/Refuse")(b"once", timeout=30)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert REFUSED == [b"once"]


async def test_health_is_served_without_a_deadline_as_probes_call_it(life: Life) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await echo_server(life)}") as plain:
        answer = await health_pb2_grpc.HealthStub(plain).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_taken_port_says_what_to_do(life: Life) -> None:
    port = await echo_server(life)
    with pytest.raises(StartError, match="GRPC_PORT"):
        await GrpcServer("127.0.0.1", port, life).start()
