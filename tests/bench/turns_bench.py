"""Turns per second from webhook to provider call, beside a floor and a loop, in one run and in turns.

    PYTHONPATH=tests .venv/bin/python tests/bench/turns_bench.py [--rounds 3] [--turns 1500]

product: gateway, channel-adapter, coaching, llm-inference and vector-search as processes, over PostgreSQL (fsync on)
and NATS; the model's server and the Bot API are this process, which also writes the webhooks.
floor: the same processes' worth of the same HTTP, gRPC, NATS and PostgreSQL calls, batched alike, without logic.
loop: the floor's calls for one message at a time; a step begins when the one before has ended, and commits.
guard: the floor without HTTP and gRPC; if it is not 20 times the loop, the floor is slow and the bench fails.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench._cpu import Cpu
from bench._floor import publish
from bench._floor_adapter import SENT
from bench._floor_sql import ORGANIZATION
from bench._sides import HOST, Stores, listening, product, roles
from bench._world import BOTS, Round, World, Writer
from contracts.events.v1 import events_pb2
from platformctl.parts.nats import NatsPart
from platformctl.parts.postgres import PostgresPart
from support.database import TestDatabase, fresh_database, make_template
from support.ports import free_port
from support.servers import running
from support.streams import reset_streams

AT_ONCE = 192
FEW = 4
LOOP_TURNS = 150
GUARD_TURNS = 6000
GUARD_PEOPLE = 1024
WARM_TURNS = 1200
FLOOR_SHARE, LOOP_TIMES, GUARD_TIMES = 0.5, 10.0, 20.0
QUIET_SECONDS = 30.0
PENDING = "SELECT count(*) FROM coaching.messages WHERE memory_state = 'pending'"


def stores(stack: ExitStack, folder: Path) -> list[Stores]:
    """Start PostgreSQL, as durable as in production, and a NATS server for each side: product, floor, loop, guard."""
    postgres = stack.enter_context(running(PostgresPart(folder / "postgres", free_port())))
    assert isinstance(postgres, PostgresPart)
    make_template(postgres.url)
    found = []
    for number in range(4):
        server = stack.enter_context(running(NatsPart(folder / f"nats-{number}", free_port())))
        assert isinstance(server, NatsPart)
        found.append(Stores(stack.enter_context(fresh_database(postgres.url)), server.url))
    return found


class Guard:
    """Drives the floor without its hops: events straight to INBOUND, answers told on core NATS."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js = client.jetstream(timeout=20.0)
        self._ready: asyncio.Queue[list[int]] = asyncio.Queue()
        self._numbers = 0

    @classmethod
    async def connect(cls, url: str) -> "Guard":
        """Return one that listens."""
        guard = cls(await nats.connect(url, pending_size=8 * 1024 * 1024))
        await guard._client.subscribe(SENT, cb=guard._heard)
        return guard

    async def close(self) -> None:
        await self._client.close()

    async def _heard(self, message: Msg) -> None:
        await self._ready.put([int(chat) for chat in message.data.split(b",")])

    async def round(self, turns: int) -> Round:
        """Keep everybody writing until `turns` are answered."""
        done = Round(turns, time.perf_counter())
        await self._publish(list(range(800_001, 800_001 + GUARD_PEOPLE)))
        answered, asked = 0, GUARD_PEOPLE
        while answered < turns:
            try:
                chats = await asyncio.wait_for(self._ready.get(), QUIET_SECONDS)
            except TimeoutError:
                raise RuntimeError(f"{turns - answered} of {turns} turns were not answered") from None
            answered += len(chats)
            again = chats[: max(0, turns - asked)]
            asked += len(again)
            await self._publish(again)
        done.ended = time.perf_counter()
        return done

    async def _publish(self, people: list[int]) -> None:
        messages = []
        for person in people:
            self._numbers += 1
            event = events_pb2.InboundEvent(
                organization_id=ORGANIZATION, channel="telegram", account=str(1000 + person % BOTS),
                event_id=str(self._numbers), sender_id=str(person), address=str(person), order=self._numbers,
                text=events_pb2.TextMessage(text=f"I went for a walk, number {self._numbers}, and it felt good."),
            )  # fmt: skip
            messages.append((f"inbound.telegram.{event.account}", event.SerializeToString(), event.event_id))
        await publish(self._js, messages)


@asynccontextmanager
async def opened(world: World, port: int, number: int) -> AsyncIterator[list[Writer]]:
    """Yield connections to a door; a round has its own, since idle ones are closed by the server."""
    found = await world.writers(port, number)
    try:
        yield found
    finally:
        for writer in found:
            writer.close()


async def quiet(database: TestDatabase) -> float:
    """Wait until all texts are in the memory; return how long that took."""
    begun = time.perf_counter()
    async with database.connect() as owner:
        while await owner.fetchval(PENDING):
            if time.perf_counter() - begun > QUIET_SECONDS:
                raise RuntimeError("the memory does not catch up")
            await asyncio.sleep(0.02)
    return time.perf_counter() - begun


async def settled(database: TestDatabase) -> None:
    """Do what autovacuum does within the first minute: without it every statement keeps its plan for empty tables."""
    async with database.connect() as owner:
        _ = await owner.execute("VACUUM (ANALYZE)")


class Bench:
    """Everything that runs, and the rounds of each side."""

    def __init__(self, world: World, kept: list[Stores], folder: Path) -> None:
        self.world = world
        self.product, self.floor, self.loop, self.guard = kept
        self.folder = folder

    async def start(self, stack: AsyncExitStack) -> None:
        """Start the product, the floor and the guard; all stay until the end, each idle while another is timed."""
        services = await stack.enter_async_context(product(self.product, self.world.port, self.folder))
        self.doors = {"product": services[-1].http_port}
        for name, store in (("floor", self.floor), ("loop", self.loop)):
            told = {
                "nats": store.nats_url, "database": store.database.owner_url, "one": name == "loop",
                "world": f"http://{HOST}:{self.world.port}",
            }  # fmt: skip
            ports = stack.enter_context(roles(["model", "memory", "coach", "adapter", "edge"], told, self.folder))
            await listening(list(ports.values()))
            self.doors[name] = ports["edge"]
        direct = {"nats": self.guard.nats_url, "database": self.guard.database.owner_url, "direct": True}
        _ = stack.enter_context(roles(["coach", "sender"], direct, self.folder))
        self.told = await Guard.connect(self.guard.nats_url)
        stack.push_async_callback(self.told.close)

    async def round(self, side: str, turns: int) -> Round:
        """Time one round of a side; work that was put off counts: it ends when the last text is in the memory."""
        if side == "guard":
            return await self._ended(await self.told.round(turns), self.guard)
        store = {"product": self.product, "floor": self.floor, "loop": self.loop}[side]
        return await self._ended(await self.written(side, turns, 1 if side == "loop" else AT_ONCE), store)

    async def written(self, door: str, turns: int, at_once: int) -> Round:
        """Time a round of people at a door."""
        async with opened(self.world, self.doors[door], at_once) as writers:
            return await self.world.round(writers, turns)

    @staticmethod
    async def _ended(done: Round, store: Stores) -> Round:
        done.ended += await quiet(store.database)
        return done


async def measure(rounds: int, sides: list[str], turns: int) -> dict[str, list[Round]]:
    """Run the sides in turns, after a round to warm each."""
    found: dict[str, list[Round]] = {side: [] for side in sides}
    amounts = {"product": turns, "floor": turns, "loop": LOOP_TURNS, "guard": GUARD_TURNS}
    world = World()
    await world.start()
    with tempfile.TemporaryDirectory(prefix="turns-bench-") as scratch, ExitStack() as servers:
        kept = await asyncio.to_thread(stores, servers, Path(scratch))
        for store in kept:
            await reset_streams(store.nats_url)
        async with AsyncExitStack() as stack:
            bench = Bench(world, kept, Path(scratch))
            await bench.start(stack)
            for number in range(rounds + 1):
                if number == 1:
                    for store in kept:
                        await settled(store.database)
                for side in sides:
                    cpu = Cpu()
                    done = await bench.round(side, amounts[side] if number else min(amounts[side], WARM_TURNS))
                    say(side, done, cpu.milliseconds(done.turns))
                    if number:
                        found[side].append(done)
            for side, at_once in (("product", 1), ("product", FEW), ("floor", FEW)):
                few = await bench.written(side, LOOP_TURNS, at_once)
                found[f"{side}, {at_once}"] = [few]
                say(f"{side}, {at_once} at once", few, {})
    await world.stop()
    if world.doubles:
        raise RuntimeError(f"{world.doubles} answers came that nobody waited for")
    return found


def say(side: str, done: Round, cpu: dict[str, float]) -> None:
    times = f", p50 {done.milliseconds(0.5):.0f} ms, p99 {done.milliseconds(0.99):.0f} ms" if done.latencies else ""
    sys.stderr.write(f"  {side}: {done.rate:.1f} turns/s{times}\n")
    if cpu:
        sys.stderr.write(f"    ms of processor a turn: {sum(cpu.values()):.2f}: {cpu}\n")


def figures(found: dict[str, list[Round]]) -> list[dict[str, Any]]:
    """Return the rows; a ratio is the median of the rounds' own ratios, whose sides followed each other."""
    rates = {side: [done.rate for done in rounds] for side, rounds in found.items()}
    rate = {side: statistics.median(values) for side, values in rates.items()}

    def ratio(one: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True))

    def times(side: str, share: float) -> float:
        return statistics.median(done.milliseconds(share) for done in found[side])

    return [
        figure("turns_vs_floor", rate["product"], "turns/s", FLOOR_SHARE, ratio("product", "floor")),
        figure("turns_vs_loop", rate["product"], "turns/s", LOOP_TIMES, ratio("product", "loop")),
        figure(
            "turns: floor without HTTP and gRPC, to loop", rate["guard"], "turns/s", GUARD_TIMES, ratio("guard", "loop")
        ),
        figure("turns: floor", rate["floor"], "turns/s"),
        figure("turns: loop", rate["loop"], "turns/s"),
        figure("turns: the product, one person at a time", rate["product, 1"], "turns/s"),
        figure(f"turns: p50, {AT_ONCE} people at once", times("product", 0.5), "ms"),
        figure(f"turns: p99, {AT_ONCE} people at once", times("product", 0.99), "ms"),
        figure(f"turns: p50, {FEW} people at once", times(f"product, {FEW}", 0.5), "ms"),
        figure(f"turns: p99, {FEW} people at once", times(f"product, {FEW}", 0.99), "ms"),
        figure(f"turns: p50 of the floor, {FEW} people at once", times(f"floor, {FEW}", 0.5), "ms"),
    ]


def figure(
    name: str, value: float, unit: str, floor: float | None = None, ratio: float | None = None
) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "floor": floor, "ratio": ratio}


def main() -> None:
    """Measure, and print the figures as the last line."""
    parser = argparse.ArgumentParser(description="Turns per second from webhook to provider call.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=1500)
    parser.add_argument("--sides", default="product,floor,loop,guard", help="fewer: no figures, only what is said")
    chosen, _ = parser.parse_known_args()  # other benches have arguments of their own
    sides = chosen.sides.split(",")
    found = uvloop.run(measure(chosen.rounds, sides, chosen.turns))
    print(json.dumps(figures(found) if len(sides) == 4 else []))


if __name__ == "__main__":
    main()
