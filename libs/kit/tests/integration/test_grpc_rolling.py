"""Replicas behind one name come, go and move: who calls finds them, and no call fails for it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fakes.name_server import NameServer
from kit.grpc_client import channel
from kit.grpc_server import GrpcServer
from kit.process import Life
from support.rolling import kept_asking

AGE_SECONDS = 2.0
NO_AGE = 300.0
LOOKUP_SECONDS = 1.1  # a client looks a name up again after a second at the earliest
AWAY_SECONDS = 5.0
RECONNECT_SECONDS = 3.5  # every 2 s, and a fifth more or less
FIRST = "127.0.0.1"
Context = grpc.aio.ServicerContext[bytes, bytes]


class Replica:
    """A server of the kit; it says where it is."""

    def __init__(self, host: str, port: int, age_seconds: float) -> None:
        self.host = host
        self.life = Life("kit-test", drain_seconds=10)
        self.server = GrpcServer(host, port, self.life, age_seconds)
        self.pause_seconds = 0.0
        self.calls = 0

    async def start(self) -> "Replica":
        self.server.add(self._register, self)
        await self.server.start()
        return self

    def _register(self, _: object, server: grpc.aio.Server) -> None:
        handlers = {
            "Say": grpc.unary_unary_rpc_method_handler(self.say),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))

    async def say(self, _: bytes, __: Context) -> bytes:
        self.calls += 1
        await asyncio.sleep(self.pause_seconds)
        return self.host.encode()

    async def count(self, _: bytes, __: Context) -> AsyncIterator[bytes]:
        self.calls += 1
        for number in range(5):
            await asyncio.sleep(self.pause_seconds)
            yield str(number).encode()


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    """Start a replica; the second and later ones have the first one's port, at addresses of their own."""
    async with AsyncExitStack() as stack:
        ports = [0]

        async def one(host: str = FIRST, age_seconds: float = NO_AGE) -> Replica:
            replica = await Replica(host, ports[-1], age_seconds).start()
            ports.append(replica.server.port)
            stack.push_async_callback(replica.life.finish)
            return replica

        yield one


def say(to: grpc.aio.Channel, **options: Any) -> Any:
    return to.unary_unary("/test.Echo/Say", bytes, bytes)(b"x" * 100, timeout=10, **options)


async def count(to: grpc.aio.Channel) -> list[bytes]:
    return [item async for item in to.unary_stream("/test.Echo/Count", bytes, bytes)(b"", timeout=10)]


@pytest.mark.guarantee("P9-spread")
async def test_replicas_that_are_added_serve_within_the_age_of_a_connection(start: Callable[..., Any]) -> None:
    first = await start(age_seconds=AGE_SECONDS)
    async with NameServer(FIRST) as names, channel(names.target(first.server.port)) as to:
        async with kept_asking(lambda: say(to), callers=4) as outcomes:
            await outcomes.until(20)
            added = [await start(host, AGE_SECONDS) for host in ("127.0.0.2", "127.0.0.3")]
            names.addresses += [replica.host for replica in added]
            async with asyncio.timeout(AGE_SECONDS * 1.1 + LOOKUP_SECONDS):  # gRPC varies it by a tenth
                while not all(replica.calls for replica in added):  # noqa: ASYNC110  # their own counts
                    await asyncio.sleep(0.02)
        shares = Counter([await say(to) for _ in range(30)])
    assert set(outcomes) == {"ok"}
    assert len(shares) == 3
    assert min(shares.values()) >= 8


async def test_a_peer_that_is_replaced_at_another_address_is_found_within_seconds(start: Callable[..., Any]) -> None:
    first = await start()
    async with NameServer(FIRST) as names, channel(names.target(first.server.port)) as to:
        for host in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
            assert await say(to) == names.addresses[0].encode()
            replica = await start(host)
            names.addresses[:] = [host]
            await first.life.finish()
            async with asyncio.timeout(5):
                assert await say(to, wait_for_ready=True) == host.encode()
            first = replica


@pytest.mark.guarantee("P9-drain")
@pytest.mark.parametrize("call", [say, count])
async def test_replicas_that_stop_one_after_the_other_fail_no_call(start: Callable[..., Any], call: Any) -> None:
    running = [await start(FIRST), await start("127.0.0.2")]
    async with (
        NameServer(*(replica.host for replica in running)) as names,
        channel(names.target(running[0].server.port)) as to,
        kept_asking(lambda: call(to), callers=50) as outcomes,
    ):
        for number in range(3, 7):
            await outcomes.until(300)
            running.append(await start(f"127.0.0.{number}"))
            names.addresses[:] = [replica.host for replica in running[1:]]
            await asyncio.sleep(LOOKUP_SECONDS)
            assert await running.pop(0).life.finish()
    assert set(outcomes) == {"ok"}


async def test_a_peer_that_was_away_behind_a_name_that_stayed_is_found_at_once(start: Callable[..., Any]) -> None:
    """Why the chart publishes pods that are not ready: behind a name that is empty meanwhile this takes 13 seconds."""
    first = await start()
    async with NameServer(FIRST) as names, channel(names.target(first.server.port)) as to:
        assert await say(to) == FIRST.encode()
        await first.life.finish()
        end = asyncio.get_running_loop().time() + AWAY_SECONDS
        while asyncio.get_running_loop().time() < end:
            with pytest.raises(grpc.aio.AioRpcError):
                await say(to)
            await asyncio.sleep(0.2)
        back = await start()
        async with asyncio.timeout(RECONNECT_SECONDS):
            assert await say(to, wait_for_ready=True) == back.host.encode()


@pytest.mark.guarantee("P9-drain")
async def test_addresses_at_which_nobody_serves_yet_or_any_more_cost_no_call(start: Callable[..., Any]) -> None:
    """Pods that start or drain are behind the name as well (publishNotReadyAddresses)."""
    running = [await start(FIRST), await start("127.0.0.2")]
    everybody = [f"127.0.0.{number}" for number in range(1, 6)]
    async with (
        NameServer(*everybody) as names,
        channel(names.target(running[0].server.port)) as to,
        kept_asking(lambda: say(to), callers=50) as outcomes,
    ):
        for number in range(3, 6):
            await outcomes.until(300)
            running.append(await start(f"127.0.0.{number}"))
            async with asyncio.timeout(RECONNECT_SECONDS):
                while not running[-1].calls:  # noqa: ASYNC110  # its own count
                    await asyncio.sleep(0.02)
            assert await running.pop(0).life.finish()
        await outcomes.until(300)
    assert set(outcomes) == {"ok"}


async def test_a_stop_says_so_and_lets_what_has_begun_end(start: Callable[..., Any]) -> None:
    replica = await start()
    replica.pause_seconds = 0.5
    async with channel(f"{FIRST}:{replica.server.port}") as to:
        health: Any = health_pb2_grpc.HealthStub(to)
        watching = health.Watch(health_pb2.HealthCheckRequest(), timeout=20)
        seen = [(await watching.read()).status]
        calls = [asyncio.ensure_future(call(to)) for call in (count, say, say, say)]
        while replica.calls < len(calls):  # noqa: ASYNC110  # its own count
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(replica.life.finish())
        seen.append((await watching.read()).status)
        assert not any(call.done() for call in calls)
        watching.cancel()
        assert await asyncio.gather(*calls) == [[b"0", b"1", b"2", b"3", b"4"], *[FIRST.encode()] * 3]
        assert await stopping
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]


async def test_what_the_caller_cancels_is_not_asked_for_again(start: Callable[..., Any]) -> None:
    replica = await start()
    replica.pause_seconds = 0.3
    async with channel(f"{FIRST}:{replica.server.port}") as to:
        call = say(to)
        while not replica.calls:  # noqa: ASYNC110  # its own count
            await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.sleep(0.5)
    assert replica.calls == 1
