"""The floor's channel adapter: both ways."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import asyncpg
import grpc
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from bench import _floor_sql as sql
from bench._floor import CALL_SECONDS, Together, channel, consume, jetstream, publish, serve
from bench._floor_sql import ORGANIZATION
from contracts.channels.v1 import channels_pb2, channels_pb2_grpc
from contracts.coaching.v1 import coaching_pb2 as pb
from contracts.coaching.v1.coaching_pb2_grpc import CoachingStub
from contracts.events.v1 import events_pb2
from contracts.topology import CHANNEL_ADAPTER_REPLY

Context = grpc.aio.ServicerContext[Any, Any]
SENT = "floor.sent"


def event_of(account: str, body: bytes) -> events_pb2.InboundEvent:
    """Return an update as it travels."""
    update = json.loads(body)
    message = update["message"]
    person = str(message["chat"]["id"])
    return events_pb2.InboundEvent(
        organization_id=ORGANIZATION, channel="telegram", account=account, event_id=str(update["update_id"]),
        sender_id=person, address=person, order=update["update_id"],
        text=events_pb2.TextMessage(text=message["text"], locale="en"),
    )  # fmt: skip


def _own(event: events_pb2.InboundEvent) -> str:
    return f"telegram:{event.account}:{event.event_id}"


class Receiver(channels_pb2_grpc.ChannelAdapterServicer):
    """Webhooks to INBOUND; the answer comes when the stream has stored the event."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def Receive(  # noqa: N802  # named by the proto
        self, request: channels_pb2.ReceiveRequest, _context: Context
    ) -> channels_pb2.ReceiveResponse:
        return (await self._received([request]))[0]

    async def ReceiveMany(  # noqa: N802  # named by the proto
        self, request: channels_pb2.ReceiveManyRequest, _context: Context
    ) -> channels_pb2.ReceiveManyResponse:
        return channels_pb2.ReceiveManyResponse(responses=await self._received(request.requests))

    async def _received(
        self, requests: Sequence[channels_pb2.ReceiveRequest]
    ) -> Sequence[channels_pb2.ReceiveResponse]:
        events = [event_of(request.account, request.body) for request in requests]
        await publish(self._js, [
            (f"inbound.telegram.{event.account}", event.SerializeToString(), _own(event))
            for event in events
        ])  # fmt: skip
        answer = channels_pb2.ReceiveResponse(status=200, content_type="application/json", body=b"{}", events=1)
        return [answer] * len(requests)


class Sending:
    """OUTBOUND to the provider."""

    def __init__(self, coaching: grpc.aio.Channel, world: str) -> None:
        self._stub = CoachingStub(coaching)
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._world = world
        self._report: Together[pb.DeliveryReport, bool] = Together(self._reported)
        self._carrying: set[asyncio.Task[None]] = set()

    async def handle(self, batch: list[Msg]) -> None:
        """Claim a batch, and carry it out while the next one is claimed."""
        messages = [events_pb2.OutboundMessage.FromString(item.data) for item in batch]
        keys = [pb.DeliveryKey(organization_id=ORGANIZATION, delivery_id=item.delivery_id) for item in messages]
        await self._stub.ClaimDelivery(pb.ClaimDeliveryRequest(deliveries=keys, owner="floor"), timeout=CALL_SECONDS)
        for item, message in zip(batch, messages, strict=True):
            task = asyncio.create_task(self._send(item, message))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    async def _send(self, item: Msg, message: events_pb2.OutboundMessage) -> None:
        report = pb.DeliveryReport(
            organization_id=ORGANIZATION, delivery_id=message.delivery_id, state=pb.DELIVERY_STATE_IN_FLIGHT
        )
        await self._report(report)
        url = f"{self._world}/bot{message.account}:floor/sendMessage"
        async with self._http.post(url, json={"chat_id": message.address, "text": message.text}) as response:
            found = json.loads(await response.read())
        done = pb.DeliveryReport(
            organization_id=ORGANIZATION, delivery_id=message.delivery_id, state=pb.DELIVERY_STATE_ACCEPTED,
            provider_message_id=str(found["result"]["message_id"]),
        )  # fmt: skip
        await self._report(done)
        await item.ack()

    async def _reported(self, reports: list[pb.DeliveryReport]) -> list[bool]:
        await self._stub.ReportDelivery(pb.ReportDeliveryRequest(reports=reports), timeout=CALL_SECONDS)
        return [True] * len(reports)


async def adapter(config: dict[str, Any]) -> None:
    """Serve Receive and send what coaching publishes."""
    js = await jetstream(config["nats"])
    sending = Sending(channel(config["ports"]["coach"]), config["world"])
    register = channels_pb2_grpc.add_ChannelAdapterServicer_to_server
    await asyncio.gather(
        serve(register, Receiver(js), config["ports"]["adapter"]),
        consume(js, CHANNEL_ADAPTER_REPLY.durable, CHANNEL_ADAPTER_REPLY.stream, sending.handle),
    )


async def claim(pool: "asyncpg.Pool[asyncpg.Record]", ids: list[str]) -> None:
    """Claim deliveries: one transaction."""
    await _moved(pool, {"claimed": ids})


async def report(pool: "asyncpg.Pool[asyncpg.Record]", states: dict[str, list[str]]) -> None:
    """Move deliveries forward, `states` to the ids: one transaction."""
    await _moved(pool, states)


async def _moved(pool: "asyncpg.Pool[asyncpg.Record]", states: dict[str, list[str]]) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(sql.SET_ORGANIZATION, ORGANIZATION)
        await connection.fetch(sql.LOCK, ORGANIZATION, sorted({own for ids in states.values() for own in ids}))
        for state, ids in states.items():
            await connection.execute(sql.WRITE, ORGANIZATION, ids, state)
        if "accepted" in states:
            await connection.execute(sql.FORGET_OUTBOX, ORGANIZATION, states["accepted"])


async def sender(config: dict[str, Any]) -> None:
    """The guard's sender: OUTBOUND to the database alone; tells on core NATS whom it has answered."""
    js = await jetstream(config["nats"])
    pool = await asyncpg.create_pool(config["database"], min_size=4, max_size=4)
    carrying: set[asyncio.Task[None]] = set()

    async def carry_out(batch: list[Msg], ids: list[str], chats: str) -> None:
        await report(pool, {"in_flight": ids})
        await js._nc.publish(SENT, chats.encode())  # the library has no public way back to the connection
        await report(pool, {"accepted": ids})
        for item in batch:
            await item.ack()

    async def handle(batch: list[Msg]) -> None:
        messages = [events_pb2.OutboundMessage.FromString(item.data) for item in batch]
        ids = [message.delivery_id for message in messages]
        await claim(pool, ids)
        task = asyncio.create_task(carry_out(batch, ids, ",".join(message.address for message in messages)))
        carrying.add(task)
        task.add_done_callback(carrying.discard)

    await consume(js, CHANNEL_ADAPTER_REPLY.durable, CHANNEL_ADAPTER_REPLY.stream, handle)
