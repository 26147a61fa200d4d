"""The service as a process, with real NATS and PostgreSQL, a fake Telegram and a small Coaching."""

import asyncio
import hashlib
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import grpc
import httpx
import nats
import pytest
from nats.aio.client import Client

from channel_adapter.adapters.jetstream import live_subject
from channel_adapter.domain.delivery import State
from contracts.channels.v1 import channels_pb2
from contracts.channels.v1.channels_pb2_grpc import ChannelAdapterStub
from contracts.events.v1 import events_pb2 as pb
from fakes.channel_coaching import FakeCoaching
from fakes.channel_ports import ORGANIZATION
from fakes.telegram import TOKEN, FakeTelegram, broken, cut, too_many
from kit import grpc_client
from support.database import TestDatabase
from support.rolling import kept_asking
from support.services import Service, running_service, start_service

SECRET = "a-webhook-secret-of-the-tests"
SECRET_HEADER = channels_pb2.Header(name="x-telegram-bot-api-secret-token", value=SECRET)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FAULT_POINTS = ("after_claim", "after_in_flight", "after_request", "before_ack")


@dataclass
class Surroundings:
    """Everything around the service, and a way to start it."""

    telegram: FakeTelegram
    coaching: FakeCoaching
    client: Client
    nats_url: str
    database: TestDatabase
    folder: Path
    numbers: list[int] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "NATS_URL": self.nats_url,
            "DATABASE_URL": self.database.channels_url,
            "COACHING_ADDRESS": self.coaching.address,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.telegram.url,
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "TELEGRAM_POLL_SECONDS": "1",
            "POLLING_LEASE_SECONDS": "1",
            "UPLOADS_DIR": str(self.folder / "uploads"),
            "LOG_LEVEL": "DEBUG",
            **more,
        }

    @asynccontextmanager
    async def service(self, **more: str) -> AsyncIterator[Service]:
        async with running_service("channel-adapter", self.environment(**more), self.folder) as service:
            yield service

    async def inbound(self, number: int, seconds: float = 60) -> list[pb.InboundEvent]:
        """Wait until INBOUND holds so many events, and return them."""
        js = self.client.jetstream()
        async with asyncio.timeout(seconds):
            while (await js.stream_info("INBOUND")).state.messages < number:  # noqa: ASYNC110  # the stream's own count
                await asyncio.sleep(0.02)
        messages = [await js.get_msg("INBOUND", seq) for seq in range(1, number + 1)]
        return [pb.InboundEvent.FromString(message.data or b"") for message in messages]

    async def reply(self, chat: int | str, text: str, channel: str = "telegram", kind: str = "reply") -> str:
        """Put a message on OUTBOUND as coaching's relay does; returns the delivery's id."""
        self.numbers.append(1)
        delivery_id = f"delivery-{len(self.numbers)}"
        message = pb.OutboundMessage(
            organization_id=ORGANIZATION, delivery_id=delivery_id, channel=channel,
            account="default" if channel == "web" else "1000", address=str(chat), text=text,
            message_id=f"message-{len(self.numbers)}", turn_id="turn", source="model",
        )  # fmt: skip
        message.created_at.GetCurrentTime()
        headers = {"Nats-Msg-Id": delivery_id}
        subject = f"outbound.{kind}.{channel}"
        await self.client.jetstream().publish(subject, message.SerializeToString(), headers=headers)
        return delivery_id

    async def outbound_empty(self, seconds: float = 60) -> None:
        js = self.client.jetstream()
        async with asyncio.timeout(seconds):
            while (await js.stream_info("OUTBOUND")).state.messages:  # noqa: ASYNC110  # the stream's own count
                await asyncio.sleep(0.02)

    def state_of(self, delivery_id: str) -> State:
        return self.coaching.deliveries.deliveries[delivery_id].state

    def give_up_in_flight(self) -> None:
        """Do what coaching does when the lease of a delivery in flight runs out."""
        for delivery in self.coaching.deliveries.deliveries.values():
            if delivery.state is State.IN_FLIGHT:
                delivery.state = State.UNKNOWN


@pytest.fixture
async def around(nats_url: str, database: TestDatabase, tmp_path: Path) -> AsyncIterator[Surroundings]:
    client = await nats.connect(nats_url)
    fake = FakeCoaching()  # type: ignore[abstract]  # the adapter makes no other calls
    async with FakeTelegram() as telegram, fake as coaching:
        yield Surroundings(telegram, coaching, client, nats_url, database, tmp_path)
    await client.close()


async def receive(service: Service, **values: object) -> channels_pb2.ReceiveResponse:
    async with grpc.aio.insecure_channel(service.address) as channel:
        request = channels_pb2.ReceiveRequest(**({"method": "POST"} | values))  # type: ignore[arg-type]  # its fields
        return await ChannelAdapterStub(channel).Receive(request, timeout=30)


async def webhook(service: Service, body: bytes, secret: str = SECRET) -> channels_pb2.ReceiveResponse:
    headers = [channels_pb2.Header(name="x-telegram-bot-api-secret-token", value=secret)]
    return await receive(service, channel="telegram", account="1000", headers=headers, body=body)


def update(number: int, text: str = "Hello", chat: int = 7) -> bytes:
    person = {"id": chat, "is_bot": False, "first_name": "R", "language_code": "de"}
    message = {"message_id": number, "date": 1_772_000_000, "chat": {"id": chat, "type": "private"}, "text": text}
    return json.dumps({"update_id": number, "message": message | {"from": person}}).encode()


async def test_a_webhook_is_stored_before_it_is_acknowledged(around: Surroundings) -> None:
    async with around.service() as service:
        answers = await asyncio.gather(*(webhook(service, update(5)) for _ in range(5)))
        assert {(answer.status, answer.events) for answer in answers} == {(200, 1)}
        (event,) = await around.inbound(1)
        assert (event.organization_id, event.channel, event.account) == (ORGANIZATION, "telegram", "1000")
        assert (event.event_id, event.sender_id, event.address, event.order) == ("5", "7", "7", 5)
        assert (event.text.text, event.text.locale) == ("Hello", "de")
        assert event.received_at.seconds
        assert event.sent_at.seconds == 1_772_000_000


async def test_webhooks_that_come_together_are_each_answered_as_if_alone(around: Surroundings) -> None:
    def request(body: bytes, secret: str = SECRET) -> channels_pb2.ReceiveRequest:
        headers = [channels_pb2.Header(name="x-telegram-bot-api-secret-token", value=secret)]
        return channels_pb2.ReceiveRequest(
            channel="telegram", account="1000", method="POST", headers=headers, body=body, traceparent=TRACE
        )

    together = [*(request(update(number)) for number in range(1, 101)), request(b"{"), request(update(7), "wrong")]
    async with around.service() as service, grpc.aio.insecure_channel(service.address) as channel:
        many = channels_pb2.ReceiveManyRequest(requests=together)
        found = await ChannelAdapterStub(channel).ReceiveMany(many, timeout=30)
        assert [(one.status, one.events) for one in found.responses] == [*[(200, 1)] * 100, (400, 0), (403, 0)]
        events = await around.inbound(100)
        assert [event.event_id for event in events] == [str(number) for number in range(1, 101)]
        stored = await around.client.jetstream().get_msg("INBOUND", 100)
        assert (stored.headers or {})["traceparent"] == TRACE
        await around.client.jetstream().delete_stream("INBOUND")
        found = await ChannelAdapterStub(channel).ReceiveMany(many, timeout=30)
        assert [one.status for one in found.responses] == [*[503] * 100, 400, 403]


async def test_one_of_two_that_stops_fails_no_request(around: Surroundings) -> None:
    numbers = count(1)
    async with around.service() as leaving, around.service() as staying:
        async with grpc_client.channel(f"{leaving.address},{staying.address}") as opened:
            stub = ChannelAdapterStub(opened)

            async def ask() -> None:
                request = channels_pb2.ReceiveRequest(
                    channel="telegram",
                    account="1000",
                    method="POST",
                    headers=[SECRET_HEADER],
                    body=update(next(numbers)),
                )
                answer = await stub.ReceiveMany(channels_pb2.ReceiveManyRequest(requests=[request]), timeout=20)
                assert [(one.status, one.events) for one in answer.responses] == [(200, 1)]

            async with kept_asking(ask, callers=10) as outcomes:
                await outcomes.until(50)
                assert await leaving.stop() == 0
                await outcomes.until(50)
        assert set(outcomes) == {"ok"}
        found = {event.event_id for event in await around.inbound(outcomes["ok"])}
        assert found == {str(number) for number in range(1, outcomes["ok"] + 1)}  # each once, though some came twice


@pytest.mark.guarantee("P11-webhooks")
async def test_bad_webhooks_store_nothing(around: Surroundings) -> None:
    async with around.service() as service:
        assert (await webhook(service, update(5), "wrong")).status == 403
        assert (await webhook(service, b"x" * 1_100_000)).status == 413
        assert (await webhook(service, b"{")).status == 400
        assert (await receive(service, channel="web", account="default", body=b"{}")).status == 401
        assert (await receive(service, channel="fax", account="1", body=b"{}")).status == 404
        with pytest.raises(grpc.aio.AioRpcError) as no_deadline:
            async with grpc.aio.insecure_channel(service.address) as channel:
                await ChannelAdapterStub(channel).Receive(channels_pb2.ReceiveRequest())
        assert no_deadline.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert (await around.client.jetstream().stream_info("INBOUND")).state.messages == 0


async def test_without_the_stream_the_provider_is_asked_to_come_again(around: Surroundings) -> None:
    async with around.service() as service:
        await around.client.jetstream().delete_stream("INBOUND")
        answer = await webhook(service, update(5))
        assert (answer.status, answer.events) == (503, 0)
        assert answer.retry_after_seconds > 0


async def test_behind_nat_updates_are_fetched_and_confirmed(around: Surroundings) -> None:
    person = around.telegram.person(4711)
    person.say("written before the start")
    async with around.service():
        await around.inbound(1)
        person.say("and after it")
        events = await around.inbound(2)
        assert [event.text.text for event in events] == ["written before the start", "and after it"]
        await around.telegram.bot.settled()


async def test_two_replicas_never_both_poll_and_one_goes_on_for_the_other(around: Surroundings) -> None:
    person = around.telegram.person()
    async with around.service() as first, around.service():
        for number in range(3):
            person.say(f"message {number}")
        await around.inbound(3)
        assert around.telegram.bot.conflicts == 0
        await first.stop(signal.SIGKILL)
        person.say("to the other")
        events = await around.inbound(4)
        assert events[-1].text.text == "to the other"


async def test_with_a_public_address_the_webhook_is_set(around: Surroundings) -> None:
    async with around.service(PUBLIC_URL="https://coach.example/"):
        async with asyncio.timeout(30):
            while (found := around.telegram.bot.webhook) is None:  # noqa: ASYNC110  # set by the service
                await asyncio.sleep(0.02)
        assert (found.url, found.secret) == ("https://coach.example/webhooks/telegram/1000", SECRET)
        assert not around.telegram.bot.calls["getUpdates"]


async def test_a_photo_is_kept_and_named_by_a_row(around: Surroundings) -> None:
    content = b"\xff\xd8 a photo" * 100
    sha256 = hashlib.sha256(content).hexdigest()
    async with around.service(UPLOADS_MAX_BYTES="5000"):
        around.telegram.person().send_photo(content, "my breakfast")
        around.telegram.person().send_document(b"x" * 5001, "application/pdf")
        events = await around.inbound(2)
    (photo,) = events[0].text.files
    assert (photo.sha256, photo.media_type, photo.size_bytes, photo.kind) == (sha256, "image/jpeg", 1000, "photo")
    assert events[0].text.text == "my breakfast"
    assert [file.reason for file in events[1].text.files] == ["too_large"]
    kept = around.folder / "uploads" / ORGANIZATION / sha256[:2] / sha256
    assert kept.read_bytes() == content  # a small file
    async with around.database.connect("channels_service", ORGANIZATION) as connection:
        assert await connection.fetchval("SELECT sha256 FROM channels.files") == sha256


async def test_a_reply_reaches_the_person_and_coaching_hears_of_it(around: Surroundings) -> None:
    person = around.telegram.person()
    async with around.service():
        delivery = await around.reply(person.chat_id, "Well done. " * 600)
        heard = await person.hears(2)
        await around.outbound_empty()
    assert " ".join(heard) == ("Well done. " * 600).strip()
    assert all(text.endswith("done.") for text in heard)
    last = around.coaching.deliveries.deliveries[delivery].history[-1]
    assert (last.state, last.parts_accepted, last.provider_message_id) == (State.ACCEPTED, 2, "2")


async def test_retry_after_is_obeyed_and_the_message_then_arrives_once(around: Surroundings) -> None:
    person = around.telegram.person()
    around.telegram.bot.faults["sendMessage"].append(too_many(1))
    async with around.service():
        await around.reply(person.chat_id, "Later.")
        assert await person.hears(1) == ["Later."]
        await around.outbound_empty()
    assert around.telegram.bot.calls["sendMessage"] == 2


@pytest.mark.parametrize("fault", [cut(carried_out=True), broken(carried_out=True)])
async def test_an_answer_that_got_lost_leaves_the_delivery_unknown(around: Surroundings, fault: object) -> None:
    person = around.telegram.person()
    around.telegram.bot.faults["sendMessage"].append(fault)  # type: ignore[arg-type]  # a Fault
    async with around.service():
        delivery = await around.reply(person.chat_id, "Once at most.")
        await around.outbound_empty()
    assert around.state_of(delivery) is State.UNKNOWN
    assert around.telegram.bot.calls["sendMessage"] == 1


@pytest.mark.guarantee("P2-unknown")
@pytest.mark.parametrize("point", FAULT_POINTS)
async def test_a_process_that_dies_while_sending_never_doubles_a_message(around: Surroundings, point: str) -> None:
    person = around.telegram.person()
    mark = around.folder / "once"
    mark.touch()
    delivery = await around.reply(person.chat_id, "Once.")
    died = start_service("channel-adapter", around.environment(FAULT_POINTS=f"{point}@{mark}"), around.folder)
    assert await asyncio.to_thread(died.process.wait, 30) == -signal.SIGKILL
    around.give_up_in_flight()
    await around.client.jetstream().purge_stream("OUTBOUND")
    await around.client.jetstream().publish("outbound.reply.telegram", await again(around, delivery, person.chat_id))
    async with around.service():
        await around.outbound_empty()
    sent = around.telegram.sent(person.chat_id)
    if point in ("after_claim", "before_ack"):
        assert (sent, around.state_of(delivery)) == (["Once."], State.ACCEPTED)
    else:
        assert len(sent) <= 1
        assert around.state_of(delivery) is State.UNKNOWN


async def again(around: Surroundings, delivery_id: str, chat_id: int) -> bytes:
    """Return the message as the stream would deliver it again, without the wait for its acknowledgement to run out."""
    message = pb.OutboundMessage(
        organization_id=ORGANIZATION, delivery_id=delivery_id, channel="telegram", account="1000",
        address=str(chat_id), text="Once.",
    )  # fmt: skip
    return message.SerializeToString()


async def test_the_page_sees_a_reply_at_once(around: Surroundings) -> None:
    seen = await around.client.subscribe(live_subject("web", "default", "guest-1"))
    async with around.service():
        delivery = await around.reply("guest-1", "Hello. " * 2000, "web")
        event = pb.LiveEvent.FromString((await seen.next_msg(timeout=30)).data)
        await around.outbound_empty()
    assert (event.message.message_id, event.message.text) == ("message-1", "Hello. " * 2000)
    assert around.state_of(delivery) is State.ACCEPTED


async def test_the_person_sees_that_the_coach_is_writing(around: Surroundings) -> None:
    person = around.telegram.person()
    async with around.service():
        event = pb.LiveEvent(turn_id="turn", status=pb.TurnStatus(state="thinking"))
        subject = live_subject("telegram", "1000", str(person.chat_id))
        for payload in (b"\xff", event.SerializeToString(), event.SerializeToString()):
            await around.client.publish(subject, payload)
        async with asyncio.timeout(30):
            while not around.telegram.bot.actions:  # noqa: ASYNC110  # a call to the fake
                await asyncio.sleep(0.02)
    assert around.telegram.bot.actions == [(person.chat_id, "typing")]


async def test_a_wrong_token_stops_telegram_and_nothing_else(around: Surroundings) -> None:
    async with around.service(TELEGRAM_BOT_TOKEN="1000:wrong") as service:
        await around.reply("guest-1", "Hello.", "web")
        await around.outbound_empty()
        async with asyncio.timeout(30):
            while "account_failing" not in service.log():  # noqa: ASYNC110  # the log is a file
                await asyncio.sleep(0.05)
        assert "set the right one" in service.log()
        assert "1000:wrong" not in service.log()


async def test_what_nobody_can_read_is_put_aside(around: Surroundings) -> None:
    async with around.service():
        await around.client.jetstream().publish("outbound.reply.telegram", b"\xff\xff")
        await around.outbound_empty()
    assert (await around.client.jetstream().stream_info("DEADLETTER")).state.messages == 1


@pytest.mark.guarantee("P10-privacy")
async def test_what_people_write_is_in_no_log_and_no_metric(around: Surroundings) -> None:
    marker = "zebra-marker-4711"
    person = around.telegram.person(987_654_321)
    around.telegram.bot.faults["sendMessage"].extend([cut(carried_out=True), broken(), too_many(1)])
    async with around.service() as service:
        person.say(marker)
        person.send_document(marker.encode(), "text/plain", marker)
        await around.inbound(2)
        await webhook(service, marker.encode())
        await webhook(service, update(1, marker), marker)
        for kind in ("reply", "proactive"):
            for _ in range(2):
                await around.reply(person.chat_id, marker, kind=kind)
        await around.outbound_empty()
        async with httpx.AsyncClient(trust_env=False) as client:
            metrics = (await client.get(f"{service.url}/metrics")).text
    told = service.log() + metrics
    assert "channel_messages_sent_total" in metrics
    assert "send_failed" in told
    for secret in (marker, "987654321", TOKEN.partition(":")[2], SECRET, "channels-test-password"):
        assert secret not in told


async def test_it_stops_cleanly(around: Surroundings) -> None:
    async with around.service() as service:
        assert await service.stop() == 0
