"""Due check-ins dispatched per second by the product, beside the bare statement in a loop, in turns over one database.

    PYTHONPATH=tests .venv/bin/python tests/bench/dispatch_bench.py [--persons 20000] [--rounds 5]

The floor writes the same rows (nudge, decision, message, delivery, outbox, next due time) from constants, in one
statement for as many check-ins as the product takes at once, with the same indexes and foreign keys, row-level security
and fsync.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

from bench import _dispatch_sql as sql
from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_schedule import PostgresSchedule, ScheduleTimes
from coaching.adapters.schema_check import SchemaCheck
from coaching.adapters.steady import steady_seconds
from coaching.app.dispatch import AT_ONCE, Dispatch
from coaching.app.trusted_time import TrustedTime
from coaching.domain.quiet_hours import QuietHours
from coaching.main import settled, speaking_limits
from coaching.settings import Settings
from coaching.triggers.registry import TRIGGERS
from kit.clock import SystemClock
from kit.postgres import Database
from platformctl.parts.postgres import PostgresPart
from support.database import DEFAULT_ORGANIZATION, TestDatabase, fresh_database, make_template
from support.ports import free_port
from support.servers import running

FLOOR = 0.5
TABLES = ("nudges", "decisions", "messages", "deliveries", "outbox")


class Bench:
    """One database with persons whose check-ins are made due again before each round."""

    def __init__(self, database: TestDatabase, persons: int) -> None:
        self._database = database
        self._persons = persons

    async def fill(self) -> None:
        """Make persons who have talked, each with a check-in; nine of ten have words prepared."""
        async with self._database.connect() as owner:
            for statement in sql.FILL:
                await owner.execute(statement.replace("{persons}", str(self._persons)))

    async def reset(self) -> None:
        """Let everything be due again, as if nothing had been written."""
        async with self._database.connect() as owner:
            for statement in sql.RESET:
                await owner.execute(statement)

    async def dispatched(self) -> int:
        """Return how many check-ins left a full set of rows."""
        async with self._database.connect() as owner:
            counts = {await owner.fetchval(sql.COUNT.format(table=table)) for table in TABLES}
        assert len(counts) == 1, f"the tables differ: {counts}"
        return int(counts.pop())

    async def product(self) -> float:
        """Return the check-ins a second of the product's own dispatch."""
        settings = Settings(database_url=self._database.coaching_url, nats_url="nats://none", quiet_hours="00:00-00:00")
        database = Database(settings, "bench")
        schedule = PostgresSchedule(
            Tables(database, SchemaCheck()), ScheduleTimes(300.0, 600.0), QuietHours.parse(settings.quiet_hours)
        )
        time_ = TrustedTime(SystemClock(), steady_seconds)
        dispatch = Dispatch(schedule, TRIGGERS, speaking_limits(settings), time_, lambda: None)
        await database.check()
        settled()
        begun = time.perf_counter()
        while await dispatch():
            pass
        seconds = time.perf_counter() - begun
        await database.close()
        return self._persons / seconds

    async def full(self) -> float:
        """Return the same of the floor."""
        return await self._bare(sql.FLOOR)

    async def lean(self) -> float:
        """Return the same of a statement that writes an outbox row and the next due time, nothing else."""
        return await self._bare(sql.LEAN)

    async def _bare(self, statement: str) -> float:
        """Return the check-ins a second of one statement in a loop."""
        async with self._database.connect("coaching_service") as connection:
            begun = time.perf_counter()
            while await self._once(connection, statement):
                pass
            return self._persons / (time.perf_counter() - begun)

    @staticmethod
    async def _once(connection: "asyncpg.Connection[asyncpg.Record]", statement: str) -> int:
        async with connection.transaction():
            await connection.execute(sql.SET_ORGANIZATION, DEFAULT_ORGANIZATION)
            return int(await connection.fetchval(statement, DEFAULT_ORGANIZATION, AT_ONCE))


async def rounds(database: TestDatabase, persons: int, number: int) -> list[dict[str, Any]]:
    """Measure all sides in turns; the first round warms up."""
    bench = Bench(database, persons)
    await bench.fill()
    found: dict[str, list[float]] = {"product": [], "floor": [], "lean": []}
    for at in range(number + 1):
        for side in ("product", "floor", "lean") if at % 2 else ("floor", "product", "lean"):
            await bench.reset()
            rate = await {"product": bench.product, "floor": bench.full, "lean": bench.lean}[side]()
            if side != "lean":
                assert await bench.dispatched() == persons, "not every check-in was dispatched"
            if at:
                found[side].append(rate)
        if at:
            say(f"round {at}: " + ", ".join(f"{side} {rates[-1]:.0f}/s" for side, rates in found.items()))
    ratio = statistics.median(ours / floor for ours, floor in zip(found["product"], found["floor"], strict=True))
    middle = {side: statistics.median(rates) for side, rates in found.items()}
    return [
        figure("dispatch_vs_floor", middle["product"], FLOOR, ratio),
        figure("dispatch: floor, one statement for the same rows", middle["floor"]),
        figure("dispatch: claim, reschedule and outbox alone", middle["lean"]),
    ]


def figure(name: str, value: float, floor: float | None = None, ratio: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "due/s", "floor": floor, "ratio": ratio}


def say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


def main() -> None:
    """Measure, and print the figures as the last line."""
    parser = argparse.ArgumentParser(description="Due check-ins a second: the product beside the bare statement.")
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="dispatch-bench-") as scratch:
        part = PostgresPart(Path(scratch), free_port(), durable=True)
        with running(part):
            make_template(part.url)
            with fresh_database(part.url) as database:
                found = asyncio.run(rounds(database, chosen.persons, chosen.rounds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
