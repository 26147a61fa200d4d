"""Coaching: what it is made of."""

import asyncio
import gc
import os
import socket
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Protocol

from coaching.adapters.live import NatsLive
from coaching.adapters.llm_client import LlmClient
from coaching.adapters.postgres import Tables
from coaching.adapters.postgres_check_ins import PostgresCheckIns
from coaching.adapters.postgres_claims import PostgresClaims
from coaching.adapters.postgres_deliveries import DeliveryTimes, PostgresDeliveries
from coaching.adapters.postgres_explaining import PostgresExplaining
from coaching.adapters.postgres_inbox import PostgresInbox
from coaching.adapters.postgres_memory import PostgresMemoryQueue
from coaching.adapters.postgres_outbox import PostgresOutbox
from coaching.adapters.postgres_preparing import PostgresPreparing
from coaching.adapters.postgres_reading import PostgresReading
from coaching.adapters.postgres_schedule import PostgresSchedule, ScheduleTimes
from coaching.adapters.postgres_sent_nudges import PostgresSentNudges
from coaching.adapters.postgres_turns import PostgresTurns
from coaching.adapters.schema_check import SchemaCheck
from coaching.adapters.steady import steady_seconds
from coaching.adapters.vector_client import VectorClient
from coaching.app.check_ins.add import AddCheckIn
from coaching.app.check_ins.explain import ExplainNudge, ListNudges
from coaching.app.check_ins.listing import ListCheckIns
from coaching.app.check_ins.pause import PauseCheckIn, RemoveCheckIn
from coaching.app.check_ins.preview import PreviewSchedule
from coaching.app.check_ins.quiet_hours import SetQuietHours
from coaching.app.check_ins.timing import Timing
from coaching.app.claim_delivery import ClaimDelivery
from coaching.app.dispatch import Dispatch
from coaching.app.list_messages import ListMessages
from coaching.app.list_people import ListPeople
from coaching.app.prepare import Prepare, PrepareLimits
from coaching.app.remember import Remember
from coaching.app.report_delivery import ReportDelivery
from coaching.app.steps.plan import PlanLimits
from coaching.app.steps.recall import RecallLimits
from coaching.app.stream_texts import StreamTexts
from coaching.app.sweep import Sweep
from coaching.app.take_in import TakeIn
from coaching.app.trusted_time import TrustedTime
from coaching.app.turn import SpokenFirst, TakeTurn, TurnLimits
from coaching.app.warm import Warm
from coaching.domain.dispatching import Rules
from coaching.domain.proactive import Limits
from coaching.domain.quiet_hours import QuietHours
from coaching.entrypoints.consumer import InboundConsumer
from coaching.entrypoints.grpc import CoachingService
from coaching.entrypoints.grpc_check_ins import CheckInCalls
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
from kit.ids import new_id
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
    trusted = TrustedTime(clock, steady_seconds)

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
    memory = VectorClient(vector_channel, settings.recall_timeout_seconds, UPSERT_SECONDS, clock)
    live = NatsLive(bus)

    # What it keeps.
    turns = PostgresTurns(tables, clock, settings.delivery_patience_seconds)
    deliveries = PostgresDeliveries(
        tables,
        owner,
        DeliveryTimes(settings.delivery_lease_seconds, settings.delivery_patience_seconds),
        quiet_of(settings),
    )
    inbox = PostgresInbox(tables, clock, settings.turn_settle_seconds, settings.turn_settle_max_seconds)
    reading = PostgresReading(tables)
    schedule = PostgresSchedule(
        tables, ScheduleTimes(settings.prepare_ahead_seconds, settings.delivery_patience_seconds), quiet_of(settings)
    )

    # What it does: answer, speak first, publish, remember, look after.
    relay = Relay(PostgresOutbox(tables, owner), bus)
    remember = Loop("remember", Remember(PostgresMemoryQueue(tables, owner), memory), rest_seconds=2.0)
    sweep = Loop("sweep", Sweep(deliveries, clock, relay.wake), rest_seconds=2.0)
    speak = Dispatch(schedule, TRIGGERS, speaking_limits(settings), trusted, relay.wake)
    claim = ClaimDelivery(deliveries, clock, trusted, speaking_limits(settings))
    report = ReportDelivery(deliveries, clock, trusted, speaking_limits(settings))
    dispatch = Loop("dispatch", speak, rest_seconds=settings.dispatch_seconds)
    ahead = Prepare(PostgresPreparing(tables), model, TRIGGERS, clock, ahead_limits(settings))
    prepare = Loop("prepare", ahead, rest_seconds=2.0)
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
    server = GrpcServer(settings.bind_host, settings.grpc_port, life, settings.grpc_max_connection_age_seconds)
    server.add(
        add_CoachingServicer_to_server,
        service(claim, report, reading, check_in_calls(settings, tables, clock)),
    )
    await server.start()
    parts: dict[str, Runs] = {
        "consumer": consumer, "worker": worker, "relay": relay, "dispatch": dispatch, "prepare": prepare,
        "remember": remember, "sweep": sweep, "warm": warm, "measure": measure,
    }  # fmt: skip
    for name, part in parts.items():
        _ = life.background(name, part.run(life.stopping))


async def start(settings: Settings, life: Life) -> None:
    """Start the service as a process of its own."""
    await build(settings, life)
    settled()


def settled() -> None:
    """Leave what lives as long as the process out of each later look for garbage: it is most of what there is."""
    gc.collect()
    gc.freeze()


def limits_of(settings: Settings) -> TurnLimits:
    """Return what bounds a turn."""
    return TurnLimits(
        seconds=settings.turn_timeout_seconds,
        history_characters=settings.history_characters,
        recall=RecallLimits(settings.recall_texts, settings.recall_minimum_score),
        plan=PlanLimits(settings.reply_max_tokens, settings.turns_per_minute),
    )


def ahead_limits(settings: Settings) -> PrepareLimits:
    """Return what bounds words that are made ahead: the prompt of a turn, so that its beginning is found again."""
    return PrepareLimits(settings.history_characters, settings.reply_max_tokens)


def speaking_limits(settings: Settings) -> Limits:
    """Return how often the coach may write first."""
    return Limits(
        settings.proactive_per_day,
        settings.proactive_per_week,
        timedelta(seconds=settings.live_conversation_seconds),
    )


def quiet_of(settings: Settings) -> QuietHours:
    """Return the quiet hours of whoever has said none."""
    return QuietHours.parse(settings.quiet_hours)


def service(
    claim: ClaimDelivery,
    report: ReportDelivery,
    reading: PostgresReading,
    check_ins: CheckInCalls,
) -> CoachingService:
    """Return the gRPC service."""
    return CoachingService(
        claim, report, ListMessages(reading), ListPeople(reading), StreamTexts(reading), check_ins,
    )  # fmt: skip


def check_in_calls(settings: Settings, tables: Tables, clock: SystemClock) -> CheckInCalls:
    """Return what may be asked about speaking first."""
    check_ins = PostgresCheckIns(tables, settings.prepare_ahead_seconds)
    explaining = PostgresExplaining(tables)
    timing, quiet = Timing(TRIGGERS, clock), quiet_of(settings)
    return CheckInCalls(
        add=AddCheckIn(check_ins, timing, settings.check_ins_per_person),
        listing=ListCheckIns(check_ins, quiet),
        pause=PauseCheckIn(check_ins, timing),
        remove=RemoveCheckIn(check_ins, timing),
        quiet_hours=SetQuietHours(check_ins, timing, quiet),
        preview=PreviewSchedule(check_ins, Rules(TRIGGERS, speaking_limits(settings), new_id), clock, quiet),
        explain=ExplainNudge(explaining),
        nudges=ListNudges(explaining),
    )


def main() -> None:
    """Run the service."""
    run("coaching", Settings, start)


if __name__ == "__main__":
    main()
