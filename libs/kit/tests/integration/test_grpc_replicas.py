"""Calls to a peer of which there are several: taken in turns, and made again where one dies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from kit.grpc_client import channel
from kit.process import StartError


class Replica:
    """One server of the peer; it can die while it has calls, or refuse them."""

    def __init__(self, name: str, port: int, server: grpc.aio.Server) -> None:
        self.name, self.port, self.server = name, port, server
        self.calls = 0
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()
        self.refuses = False

    async def say(self, _: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        self.calls += 1
        self.asked.set()
        if self.refuses:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        await self.answers.wait()
        return self.name.encode()

    async def count(self, request: bytes, _: "grpc.aio.ServicerContext[bytes, bytes]") -> AsyncIterator[bytes]:
        self.calls += 1
        self.asked.set()
        for number in range(int(request)):
            await self.answers.wait()
            yield str(number).encode()

    async def die(self) -> None:
        """End as after a kill: what was asked of it gets no answer."""
        await self.server.stop(None)


async def started(name: str, port: int = 0) -> Replica:
    server = grpc.aio.server()
    replica = Replica(name, server.add_insecure_port(f"127.0.0.1:{port}"), server)
    handlers = {
        "Say": grpc.unary_unary_rpc_method_handler(replica.say),
        "Count": grpc.unary_stream_rpc_method_handler(replica.count),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    await server.start()
    return replica


@pytest.fixture
async def replicas() -> AsyncIterator[list[Replica]]:
    found = [await started("one"), await started("two")]
    yield found
    for replica in found:
        await replica.die()


@pytest.fixture
async def to(replicas: list[Replica]) -> AsyncIterator[grpc.aio.Channel]:
    async with channel(",".join(f"127.0.0.1:{replica.port}" for replica in replicas)) as opened:
        await until_both_are_asked(opened, replicas)
        yield opened


def say(to: grpc.aio.Channel) -> Any:
    return to.unary_unary("/test.Echo/Say", bytes, bytes)(b"", timeout=30)


async def until_both_are_asked(to: grpc.aio.Channel, replicas: list[Replica]) -> None:
    async with asyncio.timeout(30):
        while not all(replica.calls for replica in replicas):
            await say(to)


async def test_replicas_are_asked_in_turns(to: grpc.aio.Channel) -> None:
    answers = [await say(to) for _ in range(10)]
    assert answers.count(b"one") == answers.count(b"two") == 5


async def test_a_call_whose_replica_dies_is_answered_by_another(to: grpc.aio.Channel, replicas: list[Replica]) -> None:
    dying, other = replicas
    dying.answers.clear()
    dying.asked.clear()
    asked = [asyncio.ensure_future(say(to)) for _ in range(4)]
    await asyncio.wait_for(dying.asked.wait(), 30)
    await dying.die()
    assert await asyncio.gather(*asked) == [b"two"] * 4
    assert [await say(to) for _ in range(4)] == [b"two"] * 4
    assert other.calls >= 8


async def test_a_stream_whose_replica_dies_before_its_first_word_begins_at_another(
    to: grpc.aio.Channel, replicas: list[Replica]
) -> None:
    dying = replicas[0]
    dying.answers.clear()
    dying.asked.clear()

    async def read() -> list[bytes]:
        return [item async for item in to.unary_stream("/test.Echo/Count", bytes, bytes)(b"3", timeout=30)]

    asked = [asyncio.create_task(read()) for _ in range(2)]
    await asyncio.wait_for(dying.asked.wait(), 30)
    await dying.die()
    assert await asyncio.gather(*asked) == [[b"0", b"1", b"2"]] * 2


async def test_a_stream_that_has_begun_is_not_begun_again(to: grpc.aio.Channel, replicas: list[Replica]) -> None:
    streams = [to.unary_stream("/test.Echo/Count", bytes, bytes)(b"1000000", timeout=30) for _ in replicas]
    for stream in streams:
        assert await stream.read() == b"0"
    await replicas[0].die()

    async def ended(stream: Any) -> bool:
        with contextlib.suppress(grpc.RpcError, TimeoutError):
            async with asyncio.timeout(2):
                while await stream.read():  # the end is false
                    continue
        return stream.done() and await stream.code() is grpc.StatusCode.UNAVAILABLE

    assert [await ended(stream) for stream in streams].count(True) == 1


async def test_a_peer_that_refuses_everything_is_asked_a_few_times_and_no_more(
    to: grpc.aio.Channel, replicas: list[Replica]
) -> None:
    for replica in replicas:
        replica.refuses = True
    before = sum(replica.calls for replica in replicas)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await say(to)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert sum(replica.calls for replica in replicas) == before + 4


async def test_a_replica_that_comes_back_is_asked_again(to: grpc.aio.Channel, replicas: list[Replica]) -> None:
    await replicas[0].die()
    assert await say(to) == b"two"
    replicas.append(back := await started("one", replicas[0].port))
    await until_both_are_asked(to, [back])


@pytest.mark.parametrize("target", ["one:1,two:2", "127.0.0.1:1,", "127.0.0.1,127.0.0.2", ","])
async def test_a_list_that_is_none_of_addresses_is_refused(target: str) -> None:
    with pytest.raises(StartError, match="ip:port"):
        channel(target)
