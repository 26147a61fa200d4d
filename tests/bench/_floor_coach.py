"""The floor's coaching: every call of a turn, no thought."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from bench import _floor_sql as sql
from bench._floor import CALL_SECONDS, FETCH, Together, channel, consume, jetstream, publish, serve
from bench._floor_adapter import claim, report
from bench._floor_sql import ORGANIZATION
from bench._floor_stream import Generations
from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1 import coaching_pb2_grpc
from contracts.events.v1 import events_pb2
from contracts.llm.v1 import llm_pb2, llm_pb2_grpc
from contracts.topology import COACHING_INBOUND
from contracts.vector.v1 import vector_pb2, vector_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]
Row = asyncpg.Record
INSTRUCTIONS = "You are a warm and brief coach. You answer in at most three sentences. " * 12
REPLY = "I hear you. That was a good walk. What would be one small step for tomorrow?"
SEARCHES = 32  # in a list, as the product has them


def new_id() -> str:
    return str(uuid4())


class Coach:
    """The tables, and what is called beside them; without `ports` nothing is (the guard), with `one` each alone."""

    def __init__(
        self, pool: "asyncpg.Pool[Row]", js: JetStreamContext, ports: dict[str, int] | None, one: bool
    ) -> None:
        self._pool = pool
        self._js = js
        self._model = llm_pb2_grpc.LlmInferenceStub(channel(ports["model"])) if ports else None
        self._generations = Generations(ports["model"]) if ports and not one else None
        self._memory = vector_pb2_grpc.VectorSearchStub(channel(ports["memory"])) if ports else None
        self.claimable, self.publishable, self.rememberable = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._contexts: Together[Row, list[str]] = Together(self._loaded)
        self._records: Together[tuple[Row, Row], None] = Together(self._recorded)
        self._searches: Together[vector_pb2.SearchRequest, None] = Together(self._searched, SEARCHES)
        self._turns: set[asyncio.Task[None]] = set()

    async def _transaction(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> list[list[Row]]:
        """Run statements that know all that they need, in one transaction."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(sql.SET_ORGANIZATION, ORGANIZATION)
            return [await connection.fetch(text, ORGANIZATION, *values) for text, values in statements]

    async def take_in(self, batch: list[Msg]) -> None:
        """Store a batch, then acknowledge it."""
        events = [events_pb2.InboundEvent.FromString(item.data) for item in batch]
        accounts, ids = [event.account for event in events], [event.event_id for event in events]
        people = [event.sender_id for event in events]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(sql.SET_ORGANIZATION, ORGANIZATION)
            await connection.fetch(sql.INBOX, ORGANIZATION, accounts, ids)
            made = [new_id() for _ in events]
            rows = await connection.fetch(sql.IDENTITIES, ORGANIZATION, accounts, people, made)
            person = {row["sender_id"]: row["person_id"] for row in rows}
            persons = [person[sender] for sender in people]
            new = {str(own) for own in persons} & set(made)
            if new:
                await connection.fetch(sql.PEOPLE, ORGANIZATION, list(new))
            made = [new_id() for _ in events]
            rows = await connection.fetch(sql.CONVERSATIONS, ORGANIZATION, made, persons, accounts, people)
            place = {row["address"]: row["id"] for row in rows}
            places = [place[address] for address in people]
            texts = [event.text.text for event in events]
            made = [new_id() for _ in events]
            await connection.fetch(sql.MESSAGES, ORGANIZATION, made, places, persons, ids, texts)
            await connection.fetch(sql.SEEN, ORGANIZATION, persons)
        for item in batch:
            await item.ack()
        self.claimable.set()

    async def one_by_one(self, batch: list[Msg]) -> None:
        """The loop: every step of one message after the other, each awaited, each with a commit of its own."""
        for item in batch:
            await self.take_in([item])
            for at, message in await self.claim():
                await self._turn(at, message)
            await self.remember()
            await self.relay()

    async def claim(self) -> list[tuple[Row, Row]]:
        """Claim conversations that wait, and open them: each with its message."""
        async with self._pool.acquire() as connection, connection.transaction():
            claimed = [row["id"] for row in await connection.fetch(sql.CLAIM, FETCH)]
        if not claimed:
            return []
        opened, waiting = await self._transaction([(sql.OPEN, [claimed]), (sql.WAITING, [claimed])])
        message = {row["conversation_id"]: row for row in waiting}
        return [(row, message[row["id"]]) for row in opened]

    async def work(self) -> None:
        """Claim what waits, as often as there is something, and walk its turns side by side."""
        while True:
            await self.claimable.wait()
            self.claimable.clear()
            for at, message in await self.claim():
                self.claimable.set()
                task = asyncio.create_task(self._turn(at, message))
                self._turns.add(task)
                task.add_done_callback(self._turns.discard)

    async def _turn(self, at: Row, message: Row) -> None:
        history = await self._contexts(at)
        if self._memory is not None and self._model is not None:
            scope = vector_pb2.Scope(organization_id=ORGANIZATION, person_id=str(at["person_id"]))
            query = vector_pb2.SearchRequest(scope=scope, query=message["text"], limit=3)
            await self._searches(query)
            said = [INSTRUCTIONS, *history, message["text"]]
            prompt = [llm_pb2.PromptMessage(speaker=llm_pb2.SPEAKER_USER, text=text) for text in said]
            generation = llm_pb2.GenerateRequest(messages=prompt)
            if self._generations is not None:
                await self._generations.generate(generation)
            else:
                async for _ in self._model.Generate(generation, timeout=CALL_SECONDS):
                    continue
        await self._records((at, message))
        self.publishable.set()
        self.rememberable.set()

    async def _searched(self, queries: list[vector_pb2.SearchRequest]) -> list[None]:
        """Search for several at once; for one as the loop does, alone."""
        assert self._memory is not None
        if len(queries) == 1:
            await self._memory.Search(queries[0], timeout=CALL_SECONDS)
        else:
            await self._memory.SearchMany(vector_pb2.SearchManyRequest(searches=queries), timeout=CALL_SECONDS)
        return [None] * len(queries)

    async def _loaded(self, opened: list[Row]) -> list[list[str]]:
        history: dict[str, list[str]] = {row["id"]: [] for row in opened}
        ids, people = list(history), [row["person_id"] for row in opened]
        said, _ = await self._transaction([(sql.HISTORY, [ids]), (sql.STANDING, [people])])
        for row in said:
            history[row["conversation_id"]].append(row["text"])
        return [history[row["id"]] for row in opened]

    async def _recorded(self, turns: list[tuple[Row, Row]]) -> list[None]:
        places, people = [at["id"] for at, _ in turns], [at["person_id"] for at, _ in turns]
        own, replies, deliveries = ([new_id() for _ in turns] for _ in range(3))
        accounts, addresses = [at["account"] for at, _ in turns], [at["address"] for at, _ in turns]
        payloads = [
            events_pb2.OutboundMessage(
                organization_id=ORGANIZATION, delivery_id=delivery, channel="telegram", account=at["account"],
                address=at["address"], text=REPLY, message_id=reply, turn_id=turn, source="model",
            ).SerializeToString()
            for (at, _), turn, reply, delivery in zip(turns, own, replies, deliveries, strict=True)
        ]  # fmt: skip
        await self._transaction([
            (sql.FENCE, [places]),
            (sql.TURNS, [own, places, people]),
            (sql.ANSWERED, [[message["id"] for _, message in turns], own]),
            (sql.REPLIES, [replies, places, people, own, [REPLY] * len(turns)]),
            (sql.DELIVERIES, [deliveries, replies, own, places, people, accounts, addresses]),
            (sql.OUTBOX, [deliveries, payloads]),
            (sql.ENDED, [places]),
        ])  # fmt: skip
        return [None] * len(turns)

    async def relay(self) -> int:
        """Publish outbox rows in a window; return how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            ids = [row["id"] for row in await connection.fetch(sql.CLAIM_OUTBOX, FETCH)]
        if ids:
            [rows] = await self._transaction([(sql.LOAD_OUTBOX, [ids])])
            await publish(self._js, [(row["subject"], row["payload"], str(row["id"])) for row in rows])
            await self._transaction([(sql.PUBLISHED, [ids])])
        return len(ids)

    async def remember(self) -> int:
        """Give texts to the memory, those of many persons together; return how many."""
        async with self._pool.acquire() as connection, connection.transaction():
            ids = [row["id"] for row in await connection.fetch(sql.CLAIM_MEMORY, FETCH)]
        if ids:
            [rows] = await self._transaction([(sql.LOAD_MEMORY, [ids])])
            await self._upsert(rows)
            await self._transaction([(sql.REMEMBERED, [ids])])
        return len(ids)

    async def _upsert(self, rows: list[Row]) -> None:
        if self._memory is None:
            return
        people: dict[str, list[vector_pb2.TextItem]] = {}
        for row in rows:
            item = vector_pb2.TextItem(text_id=str(row["id"]), text=row["text"], role="person")
            people.setdefault(str(row["person_id"]), []).append(item)
        upserts = [
            vector_pb2.UpsertRequest(
                scope=vector_pb2.Scope(organization_id=ORGANIZATION, person_id=person), items=items
            )
            for person, items in people.items()
        ]
        if len(upserts) == 1:
            await self._memory.Upsert(upserts[0], timeout=CALL_SECONDS)
        else:
            await self._memory.UpsertMany(vector_pb2.UpsertManyRequest(upserts=upserts), timeout=CALL_SECONDS)


class Deliveries(coaching_pb2_grpc.CoachingServicer):
    """ClaimDelivery and ReportDelivery in lists: a transaction each."""

    def __init__(self, pool: "asyncpg.Pool[Row]") -> None:
        self._pool = pool

    async def ClaimDelivery(  # noqa: N802  # named by the proto
        self, request: pb.ClaimDeliveryRequest, _context: Context
    ) -> pb.ClaimDeliveryResponse:
        ids = [key.delivery_id for key in request.deliveries]
        await claim(self._pool, ids)
        decisions = [pb.DeliveryDecision(delivery_id=own, decision=pb.DECISION_SEND, fencing_token=1) for own in ids]
        return pb.ClaimDeliveryResponse(decisions=decisions)

    async def ReportDelivery(  # noqa: N802  # named by the proto
        self, request: pb.ReportDeliveryRequest, _context: Context
    ) -> pb.ReportDeliveryResponse:
        states: dict[str, list[str]] = {}
        for item in request.reports:
            state = "accepted" if item.state == pb.DELIVERY_STATE_ACCEPTED else "in_flight"
            states.setdefault(state, []).append(item.delivery_id)
        await report(self._pool, states)
        outcomes = [pb.ReportOutcome(delivery_id=item.delivery_id, applied=True) for item in request.reports]
        return pb.ReportDeliveryResponse(outcomes=outcomes)


async def coach(config: dict[str, Any]) -> None:
    """Run all loops, and serve where the sender is a process that asks."""
    pool = await asyncpg.create_pool(config["database"], min_size=10, max_size=10)
    js = await jetstream(config["nats"])
    one = bool(config.get("one"))
    own = Coach(pool, js, None if config.get("direct") else config["ports"], one)
    loops = [] if one else [own.work(), again(own.publishable, own.relay), again(own.rememberable, own.remember)]
    if not config.get("direct"):
        register = coaching_pb2_grpc.add_CoachingServicer_to_server
        servicer = Deliveries(pool)  # type: ignore[abstract]  # nobody calls the others
        loops.append(serve(register, servicer, config["ports"]["coach"]))
    take = own.one_by_one if one else own.take_in
    await asyncio.gather(
        consume(js, COACHING_INBOUND.durable, COACHING_INBOUND.stream, take, 1 if one else FETCH), *loops
    )


async def again(wake: asyncio.Event, work: Callable[[], Awaitable[int]]) -> None:
    """Work whenever woken, until there is nothing left."""
    while True:
        await wake.wait()
        wake.clear()
        while await work():
            continue
