"""Coaching: what it is made of."""

import asyncio
import os
import socket
from collections.abc import Coroutine
from typing import Any, Protocol

from coaching.adapters.live import NatsLive
from coaching.adapters.llm_client import LlmClient
from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_claims import PostgresClaims
from coaching.adapters.postgres_deliveries import DeliveryTimes, PostgresDeliveries
from coaching.adapters.postgres_inbox import PostgresInbox
from coaching.adapters.postgres_memory import PostgresMemoryQueue
from coaching.adapters.postgres_outbox import PostgresOutbox
from coaching.adapters.postgres_reading import PostgresReading
from coaching.adapters.postgres_sent_nudges import PostgresSentNudges
from coaching.adapters.postgres_turns import PostgresTurns
from coaching.adapters.schema_check import SchemaCheck
from coaching.adapters.vector_client import VectorClient
from coaching.app.claim_delivery import ClaimDelivery
from coaching.app.list_messages import ListMessages
from coaching.app.list_people import ListPeople
from coaching.app.remember import Remember
from coaching.app.report_delivery import ReportDelivery
from coaching.app.steps.plan import PlanLimits
from coaching.app.steps.recall import RecallLimits
from coaching.app.stream_texts import StreamTexts
from coaching.app.sweep import Sweep
from coaching.app.take_in import TakeIn
from coaching.app.turn import SpokenFirst, TakeTurn, TurnLimits
from coaching.app.warm import Warm
from coaching.entrypoints.consumer import InboundConsumer
from coaching.entrypoints.grpc import CoachingService
from coaching.entrypoints.loops import Loop, measuring
from coaching.entrypoints.worker import Worker
from coaching.settings import Settings
from coaching.triggers.registry import TRIGGERS
from contracts.coaching.v1.coaching_pb2_grpc import add_CoachingServicer_to_server
from contracts.topology import COACHING_INBOUND
from kit.clock import SystemClock
from kit.grpc_client import channel
from kit.grpc_server import GrpcServer
from kit.http import HttpServer, ops_app
from kit.jetstream import connect
from kit.outbox import Relay
from kit.postgres import Database
from kit.process import Life, run

UPSERT_SECONDS = 60.0  # 256 texts on two old cores take a few


class Runs(Protocol):
    """A part that works until the process stops."""

    def run(self, stopping: asyncio.Event) -> Coroutine[Any, Any, None]: ...


async def build(settings: Settings, life: Life) -> None:
    """Put the service together, and start it."""
    owner = f"{socket.gethostname()}:{os.getpid()}"
    clock = SystemClock(settings.test_clock)

    # What it stands on.
    database = Database(settings, "coaching")
    life.on_close(database.close)
    life.readiness.add("postgres", database.check)
    schema = SchemaCheck()
    life.readiness.add("schema", schema.check)
    tables = Tables(database, schema)
    bus = await connect(settings.nats_url.get_secret_value(), "coaching", life)
    llm_channel, vector_channel = channel(settings.llm_inference_address), channel(settings.vector_search_address)
    life.on_close(lambda: llm_channel.close(None))
    life.on_close(lambda: vector_channel.close(None))
    model = LlmClient(llm_channel)
    memory = VectorClient(vector_channel, settings.recall_timeout_seconds, UPSERT_SECONDS)
    live = NatsLive(bus)

    # What it keeps.
    turns = PostgresTurns(tables, clock, settings.delivery_patience_seconds)
    deliveries = PostgresDeliveries(
        tables, owner, DeliveryTimes(settings.delivery_lease_seconds, settings.delivery_patience_seconds)
    )
    inbox = PostgresInbox(tables, clock, settings.turn_settle_seconds, settings.turn_settle_max_seconds)
    reading = PostgresReading(tables)

    # What it does: answer, publish, remember, look after.
    relay = Relay(PostgresOutbox(tables, owner), bus)
    remember = Loop("remember", Remember(PostgresMemoryQueue(tables, owner), memory), rest_seconds=2.0)
    sweep = Loop("sweep", Sweep(deliveries, clock, relay.wake), rest_seconds=2.0)
    warm = Loop("warm", Warm(model), rest_seconds=5.0)
    measure = Loop("measure", measuring(reading.backlog), rest_seconds=5.0)

    def recorded() -> None:
        relay.wake()
        remember.wake()

    take_turn = TakeTurn(
        turns, model, memory, live, clock, limits_of(settings), SpokenFirst(PostgresSentNudges(tables), TRIGGERS)
    )
    worker = Worker(
        PostgresClaims(tables, owner, settings.turn_lease_seconds), turns, take_turn, recorded, clock,
        max_workers=settings.max_workers, lease_seconds=settings.turn_lease_seconds,
        turn_seconds=settings.turn_timeout_seconds,
    )  # fmt: skip
    take_in = TakeIn(inbox, live, clock, worker, worker.ahead, settings.turn_settle_seconds)
    consumer = InboundConsumer(await bus.consumer(COACHING_INBOUND), bus, take_in, clock)

    # Who calls it.
    await HttpServer(ops_app(life), settings.bind_host, settings.http_port, life).start()
    server = GrpcServer(settings.bind_host, settings.grpc_port, life)
    server.add(add_CoachingServicer_to_server, service(deliveries, reading, clock))
    await server.start()
    parts: dict[str, Runs] = {
        "consumer": consumer, "worker": worker, "relay": relay,
        "remember": remember, "sweep": sweep, "warm": warm, "measure": measure,
    }  # fmt: skip
    for name, part in parts.items():
        _ = life.background(name, part.run(life.stopping))


def limits_of(settings: Settings) -> TurnLimits:
    """Return what bounds a turn."""
    return TurnLimits(
        seconds=settings.turn_timeout_seconds,
        history_characters=settings.history_characters,
        recall=RecallLimits(settings.recall_texts, settings.recall_minimum_score),
        plan=PlanLimits(settings.reply_max_tokens, settings.turns_per_minute),
    )


def service(deliveries: PostgresDeliveries, reading: PostgresReading, clock: SystemClock) -> CoachingService:
    """Return the gRPC service."""
    return CoachingService(
        ClaimDelivery(deliveries, clock), ReportDelivery(deliveries, clock), ListMessages(reading), ListPeople(reading),
        StreamTexts(reading),
    )  # fmt: skip


def main() -> None:
    """Run the service."""
    run("coaching", Settings, build)


if __name__ == "__main__":
    main()
