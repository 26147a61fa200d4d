"""The shared fixtures: clean for every test."""

import nats
import pytest
from redis.asyncio import Redis

from contracts.topology import STREAMS
from platformctl.streams.applying import describe
from support.database import SECOND_ORGANIZATION, TestDatabase


@pytest.mark.parametrize("time", ["first", "second"])
async def test_every_test_has_a_migrated_database_of_its_own(database: TestDatabase, time: str) -> None:
    await database.add_organization(SECOND_ORGANIZATION, time)
    async with database.connect("coaching_service", SECOND_ORGANIZATION) as connection:
        rows = await connection.fetch("SELECT name FROM coaching.organizations")
    assert [row["name"] for row in rows] == [time]


@pytest.mark.parametrize("time", ["first", "second"])
async def test_every_test_has_empty_streams(nats_url: str, time: str) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().publish("inbound.web.default", time.encode())
    found = await describe(client.jetstream(), STREAMS)
    await client.close()
    assert {item["stream"]: item["messages"] for item in found} == {"INBOUND": 1, "OUTBOUND": 0, "DEADLETTER": 0}


@pytest.mark.parametrize("time", ["first", "second"])
async def test_every_test_has_an_empty_valkey(valkey_url: str, time: str) -> None:
    client = Redis.from_url(valkey_url)
    assert await client.incr("counter") == 1
    await client.aclose()
