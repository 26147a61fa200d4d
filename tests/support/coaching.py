"""Coaching in this process, over the real PostgreSQL and NATS, beside a scripted model and a memory of words."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

import asyncpg
import grpc
import nats
from nats.aio.client import Client

from coaching.main import build
from coaching.settings import Settings
from contracts.coaching.v1 import coaching_pb2_grpc
from contracts.events.v1 import events_pb2
from contracts.llm.v1.llm_pb2_grpc import add_LlmInferenceServicer_to_server
from contracts.vector.v1.vector_pb2_grpc import add_VectorSearchServicer_to_server
from fakes.llm_inference import ScriptedLlm
from fakes.vector_search import WordSearch
from kit.grpc_client import channel
from kit.process import Life
from support.database import DEFAULT_ORGANIZATION, TestDatabase
from support.ports import free_port

Coach: TypeAlias = "coaching_pb2_grpc.CoachingAsyncStub"  # a name that only the type stubs have
T = TypeVar("T")
WAIT_SECONDS = 60.0
# Short times, so that a test need not wait for what a person would not notice.
QUICK: dict[str, Any] = {
    "turn_settle_seconds": 0.2,
    "turn_settle_max_seconds": 1.0,
    "turn_lease_seconds": 2,
    "recall_timeout_seconds": 2.0,
    "database_pool_size": 8,
    "turns_per_minute": 1000,
}


@dataclass(slots=True)
class Stage:
    """Everything around coaching, and a person's side of it."""

    database: TestDatabase
    nats_url: str
    nc: Client
    llm: ScriptedLlm
    vector: WordSearch
    peers_port: int
    organization: str = DEFAULT_ORGANIZATION
    orders: dict[str, int] = field(default_factory=dict)

    def settings(self, **changes: Any) -> Settings:
        """Return settings of one coaching process on free ports."""
        address = f"127.0.0.1:{self.peers_port}"
        given = {
            "database_url": self.database.coaching_url, "nats_url": self.nats_url, "http_port": free_port(),
            "grpc_port": free_port(), "llm_inference_address": address, "vector_search_address": address,
        }  # fmt: skip
        return Settings(**{**given, **QUICK, **changes})

    def environment(self, **changes: Any) -> dict[str, str]:
        """Return the same as environment variables, for a process of its own."""
        given = self.settings(**changes)
        names = ("llm_inference_address", "vector_search_address", *QUICK, *changes)
        values = {name.upper(): str(getattr(given, name)) for name in names}
        return {**values, "DATABASE_URL": self.database.coaching_url, "NATS_URL": self.nats_url}

    async def say(self, text: str, sender: str = "anna", event_id: str = "", **fields: Any) -> str:
        """Publish what a person wrote on the web channel; return the event's id."""
        event = self.event(sender, event_id or str(uuid4()))
        event.text.text = text
        event.text.locale = fields.pop("locale", "en")
        for name, value in fields.items():
            setattr(event, name, value)
        await self.publish(event)
        return str(event.event_id)

    def event(self, sender: str, event_id: str) -> events_pb2.InboundEvent:
        """Return an event of a sender, the next in their order."""
        self.orders[sender] = self.orders.get(sender, 0) + 1
        event = events_pb2.InboundEvent(
            organization_id=self.organization, channel="web", account="default", event_id=event_id, sender_id=sender,
            address=sender, order=self.orders[sender],
        )  # fmt: skip
        event.received_at.FromDatetime(datetime.now(UTC))
        return event

    async def publish(self, event: events_pb2.InboundEvent, msg_id: str | None = None) -> None:
        """Put an event on INBOUND, each time as a message of its own unless msg_id says otherwise."""
        headers = {"Nats-Msg-Id": msg_id or str(uuid4())}
        await self.nc.jetstream().publish("inbound.web.default", event.SerializeToString(), headers=headers)

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Ask the database as its owner, whom no policy binds."""
        async with self.database.connect() as owner:
            found: list[asyncpg.Record] = await owner.fetch(query, *values)
            return found

    async def replies(self, sender: str = "anna") -> list[str]:
        """Return what the coach has answered a sender, oldest first."""
        found = await self.rows(
            "SELECT m.text FROM coaching.messages m JOIN coaching.conversations c ON c.id = m.conversation_id"
            " WHERE m.role = 'coach' AND c.address = $1 ORDER BY m.position",
            sender,
        )
        return [row["text"] for row in found]

    async def turns(self) -> list[asyncpg.Record]:
        """Return all recorded turns, oldest first."""
        return await self.rows("SELECT * FROM coaching.turns ORDER BY ended_at, id")

    async def answered(self, count: int = 1, sender: str = "anna", seconds: float = WAIT_SECONDS) -> list[str]:
        """Wait until the coach has answered a sender so often; return the answers."""

        async def enough() -> list[str] | None:
            found = await self.replies(sender)
            return found if len(found) >= count else None

        return await eventually(enough, seconds)

    async def outbound(
        self, count: int, seconds: float = 5.0, consumer: str = "channel-adapter-reply"
    ) -> list[events_pb2.OutboundMessage]:
        """Take up to `count` messages from OUTBOUND, waiting so long for them."""
        subscription = await self.nc.jetstream().pull_subscribe_bind(consumer, stream="OUTBOUND")
        found: list[events_pb2.OutboundMessage] = []
        end = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):  # nats-py raises its own kind of it, and the plain one
                for message in await subscription.fetch(count - len(found), timeout=0.5):
                    found.append(events_pb2.OutboundMessage.FromString(message.data))
                    await message.ack()
        await subscription.unsubscribe()
        return found

    @asynccontextmanager
    async def listening(self, sender: str = "anna") -> AsyncIterator[list[events_pb2.LiveEvent]]:
        """Collect the live events of a sender's conversation."""
        heard: list[events_pb2.LiveEvent] = []

        async def hear(message: Any) -> None:
            heard.append(events_pb2.LiveEvent.FromString(message.data))

        subscription = await self.nc.subscribe(f"live.web.default.{sender.encode().hex()}", cb=hear)
        await self.nc.flush()
        yield heard
        await subscription.unsubscribe()

    @asynccontextmanager
    async def coaching(self, **changes: Any) -> AsyncIterator[Coach]:
        """Run one coaching replica in this process; give its gRPC client."""
        settings = self.settings(**changes)
        life = Life("coaching", drain_seconds=5)
        try:
            await build(settings, life)
            async with channel(f"127.0.0.1:{settings.grpc_port}") as opened:
                yield coaching_pb2_grpc.CoachingStub(opened)
        finally:
            life.stop()
            clean = await life.finish()
        assert clean, "a part of coaching failed"


async def eventually(
    found: Callable[[], Awaitable[T | None]], seconds: float = WAIT_SECONDS, pause_seconds: float = 0.05
) -> T:
    """Wait until `found` returns something true, and return that."""
    end = time.monotonic() + seconds
    while not (value := await found()):
        assert time.monotonic() < end, f"not within {seconds} seconds"
        await asyncio.sleep(pause_seconds)
    return value


@asynccontextmanager
async def stage(database: TestDatabase, nats_url: str) -> AsyncIterator[Stage]:
    """Serve the scripted model and the memory of words on one port, and connect to NATS."""
    llm, vector = ScriptedLlm(), WordSearch()  # type: ignore[abstract]  # coaching makes no other calls
    server = grpc.aio.server()
    add_LlmInferenceServicer_to_server(llm, server)
    add_VectorSearchServicer_to_server(vector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    nc = await nats.connect(nats_url)
    try:
        yield Stage(database, nats_url, nc, llm, vector, port)
    finally:
        await nc.close()
        await server.stop(0)
